import { h } from "./dom.js";

const description = await (await fetch("api/v1/openapi.json")).json();
const place = document.getElementById("paths");

for (const [path, methods] of Object.entries(description.paths)) {
  for (const [method, operation] of Object.entries(methods)) {
    const parameters = (operation.parameters ?? []).filter((one) => one.in === "query").map((one) => one.name);
    place.append(
      h("section", { class: "operation" },
        h("h3", {}, h("b", {}, method.toUpperCase()), " ", h("code", {}, path)),
        h("p", {}, operation.description ?? operation.summary ?? ""),
        parameters.length ? h("p", { class: "hint" }, `In the query: ${parameters.join(", ")}.`) : null,
      ),
    );
  }
}
