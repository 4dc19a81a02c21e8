// Painting on the photo where what goes: what stays as it is, and the region of each painting.

import { $, attempt, h } from "./dom.js";
import { pictureOf, upload } from "./api.js";

const TINTS = ["#ffffff", "#e2593b", "#3f8fd2", "#57a55a", "#c58be0", "#e0b23c", "#4bb7b1", "#d97aa6", "#9a8f80"];
const SIDE = 1024, UNDO = 12;

export class Mask {
  constructor(changed) {
    this.changed = changed;
    this.clear();
  }

  clear() {
    this.photo = null;
    this.layers = new Map(); // "protect" or a painting's id, to a canvas
    this.changed?.();
  }

  get painted() { return [...this.layers.values()].some((layer) => layer.dataset.painted); }

  // Regions of paintings that are not chosen any more say nothing.
  keep(photo, paintings) {
    if (this.photo && this.photo !== photo) this.clear();
    for (const key of [...this.layers.keys()]) if (key !== "protect" && !paintings.includes(key)) this.layers.delete(key);
  }

  // The inputs that the masks make; what no region covers belongs to the last painting.
  async inputs(paintings) {
    const found = {};
    const bring = async (canvas, name) => (await upload(await new Promise((done) => canvas.toBlob(done, "image/png")), name, true)).id;
    const protect = this.layers.get("protect");
    if (protect?.dataset.painted) found.protect = [await bring(levels([protect]), "kept.png")];
    const regions = paintings.slice(0, -1).map((id) => this.layers.get(id));
    if (regions.some((layer) => layer?.dataset.painted)) {
      const missing = paintings.slice(0, -1).find((id, index) => !regions[index]?.dataset.painted);
      if (missing) throw new Error("Paint a region for every painting but the last, which takes the rest.");
      found.masks = [];
      for (const [index, layer] of regions.entries()) found.masks.push(await bring(levels([layer]), `region-${index + 1}.png`));
      found.masks.push(await bring(levels(regions, true), `region-${regions.length + 1}.png`));
    }
    return found;
  }

  async open(photo, paintings) {
    const image = new Image();
    image.src = pictureOf(photo, "large");
    await image.decode();
    this.photo = photo;
    const shrink = Math.min(1, SIDE / Math.max(image.naturalWidth, image.naturalHeight));
    new Painting(this, image, [Math.round(image.naturalWidth * shrink), Math.round(image.naturalHeight * shrink)], paintings).open();
  }
}

// White where a layer is painted, or where none of them is.
function levels(layers, rest = false) {
  const { width, height } = layers[0];
  const out = h("canvas", { width, height }), context = out.getContext("2d", { willReadFrequently: true });
  const data = context.createImageData(width, height);
  const alphas = layers.map((layer) => layer.getContext("2d", { willReadFrequently: true }).getImageData(0, 0, width, height).data);
  for (let at = 0; at < data.data.length; at += 4) {
    const covered = Math.min(255, alphas.reduce((sum, alpha) => sum + alpha[at + 3], 0));
    data.data.fill(rest ? 255 - covered : covered, at, at + 3);
    data.data[at + 3] = 255;
  }
  context.putImageData(data, 0, 0);
  return out;
}

class Painting {
  constructor(mask, image, [width, height], paintings) {
    Object.assign(this, { mask, image, width, height, erasing: false, undone: [], at: [width / 2, height / 2], keyed: false });
    const regions = paintings.length > 1 ? paintings.slice(0, -1) : [];
    this.choices = [{ id: "protect", name: "Stays as in the photo" }, ...regions.map((item) => ({ id: item.id, name: item.name }))];
    this.choices.forEach((choice, index) => {
      choice.tint = TINTS[index];
      if (!mask.layers.has(choice.id)) mask.layers.set(choice.id, h("canvas", { width, height }));
    });
    this.active = this.choices[0];
    this.dialog = $("masking");
    this.canvas = h("canvas", { width, height, tabindex: "0", role: "img", "aria-label": "The photo with what is painted on it. Arrow keys move the brush, space paints, E erases, U undoes." });
    this.brush = h("input", { type: "range", id: "brush", min: "4", max: "200", value: String(Math.round(width / 14)), oninput: () => this.show() });
    this.eraser = h("input", { type: "checkbox", id: "eraser", onchange: () => (this.erasing = this.eraser.checked) });
    const last = paintings.length > 1 ? h("p", { class: "hint" }, `${paintings.at(-1).name} takes what is left.`) : null;
    this.dialog.replaceChildren(
      h("h2", { id: "masking-title" }, "Paint where"),
      h("fieldset", { class: "layers" }, h("legend", { class: "unseen" }, "What is painted"), this.choices.map((choice) => this.layer(choice))), last,
      this.canvas,
      h("div", { class: "field" }, h("label", { for: "brush" }, "Brush"), h("label", { class: "mix", for: "eraser" }, this.eraser, " erase"), this.brush),
      h("div", { class: "actions" },
        h("button", { type: "button", class: "primary", onclick: () => this.dialog.close() }, "Done"),
        h("button", { type: "button", class: "quiet", onclick: () => this.undo() }, "Undo"),
        h("button", { type: "button", class: "quiet", onclick: () => { mask.clear(); this.dialog.close(); } }, "Remove all")));
    this.listen();
  }

  layer(choice) {
    const input = h("input", { type: "radio", name: "layer", id: `layer-${choice.id}`, onchange: () => (this.active = choice) });
    input.checked = choice === this.active;
    const sign = h("i", { class: "tint", "aria-hidden": "true" });
    sign.style.background = choice.tint;
    return h("label", { for: input.id }, input, sign, choice.name);
  }

  open() {
    this.dialog.showModal();
    this.dialog.addEventListener("close", () => { this.dialog.replaceChildren(); this.mask.changed(); }, { once: true });
    this.show();
    this.canvas.focus();
  }

  get target() { return this.mask.layers.get(this.active.id); }

  show() {
    const context = this.canvas.getContext("2d", { willReadFrequently: true });
    context.globalAlpha = 1;
    context.drawImage(this.image, 0, 0, this.width, this.height);
    context.globalAlpha = 0.6;
    for (const choice of this.choices) context.drawImage(this.mask.layers.get(choice.id), 0, 0);
    context.globalAlpha = 1;
    if (!this.keyed) return;
    context.beginPath();
    context.arc(...this.at, Number(this.brush.value) / 2, 0, 2 * Math.PI);
    context.lineWidth = 3;
    context.strokeStyle = "#000";
    context.stroke();
    context.lineWidth = 1.5;
    context.strokeStyle = "#fff";
    context.stroke();
  }

  // One painting's region takes away from the others'; what stays as in the photo lies over all of them.
  stroke(from, to) {
    const others = this.active.id === "protect" || this.erasing ? [] : this.choices.filter((one) => one.id !== "protect" && one !== this.active);
    this.line(this.target, from, to, this.erasing);
    for (const other of others) this.line(this.mask.layers.get(other.id), from, to, true);
    this.target.dataset.painted = "true";
    this.show();
  }

  line(layer, from, to, away) {
    const context = layer.getContext("2d", { willReadFrequently: true });
    context.globalCompositeOperation = away ? "destination-out" : "source-over";
    Object.assign(context, { lineWidth: Number(this.brush.value), lineCap: "round", strokeStyle: this.active.tint });
    context.beginPath();
    context.moveTo(...from);
    context.lineTo(to[0] + 0.01, to[1]);
    context.stroke();
  }

  remember() {
    const copies = [...this.mask.layers].map(([id, layer]) => [id, layer.getContext("2d", { willReadFrequently: true }).getImageData(0, 0, this.width, this.height), layer.dataset.painted]);
    this.undone.push(copies);
    if (this.undone.length > UNDO) this.undone.shift();
  }

  undo() {
    for (const [id, data, painted] of this.undone.pop() ?? []) {
      const layer = this.mask.layers.get(id);
      layer.getContext("2d", { willReadFrequently: true }).putImageData(data, 0, 0);
      if (!painted) delete layer.dataset.painted;
    }
    this.show();
  }

  place(event) {
    const box = this.canvas.getBoundingClientRect();
    return [((event.clientX - box.left) * this.width) / box.width, ((event.clientY - box.top) * this.height) / box.height];
  }

  listen() {
    const canvas = this.canvas, steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    canvas.addEventListener("pointerdown", (event) => { canvas.setPointerCapture(event.pointerId); this.keyed = false; this.remember(); this.at = this.place(event); this.stroke(this.at, this.at); });
    canvas.addEventListener("pointermove", (event) => {
      if (!event.buttons) return;
      const to = this.place(event);
      this.stroke(this.at, to);
      this.at = to;
    });
    canvas.addEventListener("keydown", (event) => {
      if (event.key in steps) {
        this.keyed = true;
        const far = Math.max(4, Number(this.brush.value) / 3);
        this.at = [Math.min(this.width, Math.max(0, this.at[0] + steps[event.key][0] * far)), Math.min(this.height, Math.max(0, this.at[1] + steps[event.key][1] * far))];
        this.show();
      } else if (event.key === " ") { this.keyed = true; this.remember(); this.stroke(this.at, this.at); }
      else if (event.key === "e") { this.eraser.checked = !this.eraser.checked; this.erasing = this.eraser.checked; }
      else if (event.key === "u") this.undo();
      else return;
      event.preventDefault();
    });
  }
}

export const openMask = (mask, photo, paintings) => attempt(() => mask.open(photo, paintings));
