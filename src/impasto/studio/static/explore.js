// A sheet of small pictures over strength and size of strokes, to choose from.

import { $, attempt, h, keep, kept } from "./dom.js";
import { get, post, previewOf } from "./api.js";
import { stateOf } from "./stage.js";

const STRENGTHS = [0.3, 0.5, 0.7], SCALES = [0.5, 1, 1.5], SIZE = 192;

export class Explorer {
  constructor(choose) {
    this.choose = choose;
    this.cells = new Map(Object.entries(kept("sheet") ?? {}));
  }

  async start(inputs, title, settings) {
    this.cells.clear();
    for (const style_scale of SCALES)
      for (const strength of STRENGTHS) {
        const values = { ...settings, size: SIZE, strength, style_scale };
        const job = await attempt(() => post("/jobs", { task: "stylize", inputs, settings: values, title: `${title}, strength ${strength}, strokes ${style_scale}` }));
        if (!job) break;
        this.cells.set(job.id, { strength, style_scale });
        this.show();
        this.update(job);
      }
    keep("sheet", Object.fromEntries(this.cells));
  }

  // What became of the cells while nobody looked.
  async refresh() {
    for (const id of this.cells.keys()) {
      const job = await get(`/jobs/${id}`).catch(() => null);
      if (job) this.update(job);
      else this.cell(id)?.querySelector(".wait").replaceChildren("deleted");
    }
  }

  show() {
    if (!this.cells.size) return;
    $("empty").hidden = true;
    $("work").hidden = true;
    $("sheet").hidden = false;
    const cells = [...this.cells].map(([id, { strength, style_scale }]) => h("button", { type: "button", class: "cell", "data-id": id, onclick: () => this.choose({ strength, style_scale }) },
      h("img", { alt: "", hidden: true }), h("span", { class: "wait" }, "waiting"), h("span", { class: "name" }, `strength ${strength}, strokes ${style_scale}`)));
    const drawn = new Map([...$("sheet").querySelectorAll(".cell")].map((cell) => [cell.dataset.id, cell]));
    $("sheet").replaceChildren(h("h2", {}, "Which one?"), h("p", { class: "hint" }, "Choose a cell to take its settings over, and paint it large."),
      h("div", { class: "grid" }, cells.map((cell) => drawn.get(cell.dataset.id) ?? cell)));
    if (cells.some((cell) => !drawn.has(cell.dataset.id))) this.refresh();
  }

  cell(id) { return $("sheet").querySelector(`[data-id="${CSS.escape(id)}"]`); }

  update(job) {
    const cell = this.cell(job.id);
    if (!cell) return;
    const image = cell.querySelector("img");
    if (job.preview) { image.src = previewOf(job); image.hidden = false; }
    cell.querySelector(".wait").textContent = job.status === "done" ? "" : stateOf(job);
  }
}
