// Files dropped or pasted anywhere on the page: two large places while they are dragged, or else the first that is free.

import { h } from "./dom.js";

const files = (event) => event.dataTransfer?.types.includes("Files");

export function takeAnywhere(photo, painting) {
  const free = () => (!photo.place.hidden && (!photo.ids.length || painting.ids.length || painting.place.hidden) ? photo : painting);
  const zones = h("div", { class: "zones", hidden: true }, zone("As the photo", photo), zone("As the painting", painting));
  document.body.append(zones);
  let depth = 0;
  const end = () => { depth = 0; zones.hidden = true; };
  addEventListener("dragenter", (event) => { if (files(event)) { depth += 1; open(); } });
  addEventListener("dragleave", (event) => { if (files(event) && --depth <= 0) end(); });
  addEventListener("dragover", (event) => { if (files(event)) event.preventDefault(); });
  addEventListener("drop", (event) => {
    const taken = event.defaultPrevented;
    end();
    if (!files(event)) return;
    event.preventDefault();
    if (!taken) free().take([...event.dataTransfer.files]);
  });
  addEventListener("paste", (event) => {
    const pasted = [...(event.clipboardData?.files ?? [])];
    if (event.defaultPrevented || !pasted.length || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    free().take(pasted);
  });

  function open() {
    if (document.querySelector("dialog[open]")) return;
    zones.hidden = false;
    for (const [place, picker] of [[zones.children[0], photo], [zones.children[1], painting]]) place.hidden = picker.place.hidden;
  }
}

function zone(words, picker) {
  const place = h("div", {}, words);
  place.addEventListener("dragenter", () => place.classList.add("over"));
  place.addEventListener("dragleave", () => place.classList.remove("over"));
  place.addEventListener("drop", (event) => { event.preventDefault(); place.classList.remove("over"); picker.take([...event.dataTransfer.files]); });
  return place;
}
