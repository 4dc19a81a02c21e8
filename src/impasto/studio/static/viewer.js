// A picture of any size up close: a canvas that draws only the tiles that are seen, at the level that is sharp enough.

import { $, attempt, h } from "./dom.js";
import { get, resultOf, tileOf } from "./api.js";

const KEPT = 160; // tiles in memory

export async function look(job) {
  const shape = await attempt(() => get(`/jobs/${job.id}/zoom`));
  if (shape) new Viewer(job, shape).open();
}

class Viewer {
  constructor(job, { width, height, tile, levels }) {
    Object.assign(this, { job, width, height, tile, levels, tiles: new Map(), scale: 1, x: 0, y: 0, pointers: new Map() });
    this.canvas = h("canvas", { tabindex: "0", role: "img", "aria-label": `${job.title || "The picture"}, ${width} by ${height} pixels. Arrow keys move, plus and minus zoom, 0 fits.` });
    this.note = h("p", { class: "hint", "aria-live": "polite" });
    const tool = (text, label, action) => h("button", { type: "button", class: "quiet", "aria-label": label, title: label, onclick: action }, text);
    this.dialog = $("viewer");
    this.dialog.replaceChildren(this.canvas, h("div", { class: "toolbar" },
      tool("−", "Smaller", () => this.zoom(1 / 1.5)), tool("+", "Larger", () => this.zoom(1.5)), tool("Fit", "Fit the window", () => this.fit()), tool("1:1", "Pixel for pixel", () => this.zoom(1 / (this.scale * devicePixelRatio))),
      this.note, h("a", { class: "quiet", href: resultOf(job, true), download: "" }, "Download"), tool("Close", "Close", () => this.dialog.close())));
    this.listen();
  }

  open() {
    this.dialog.showModal();
    this.resized = new ResizeObserver(() => this.fit());
    this.resized.observe(this.canvas);
    this.dialog.addEventListener("close", () => { this.resized.disconnect(); this.tiles.clear(); this.dialog.replaceChildren(); }, { once: true });
    this.canvas.focus();
  }

  get size() { return [this.canvas.clientWidth, this.canvas.clientHeight]; }

  fit() {
    const [w, hgt] = this.size;
    this.scale = Math.min(w / this.width, hgt / this.height);
    this.x = (w - this.width * this.scale) / 2;
    this.y = (hgt - this.height * this.scale) / 2;
    this.draw();
  }

  zoom(factor, cx = this.size[0] / 2, cy = this.size[1] / 2) {
    const fitted = Math.min(this.size[0] / this.width, this.size[1] / this.height);
    const scale = Math.min(16, Math.max(fitted * 0.5, this.scale * factor));
    this.x = cx - ((cx - this.x) * scale) / this.scale;
    this.y = cy - ((cy - this.y) * scale) / this.scale;
    this.scale = scale;
    this.draw();
  }

  move(dx, dy) { this.x += dx; this.y += dy; this.draw(); }

  draw() {
    if (this.drawing) return;
    this.drawing = true;
    requestAnimationFrame(() => { this.drawing = false; this.render(); });
  }

  render() {
    const ratio = devicePixelRatio, [w, hgt] = this.size, canvas = this.canvas;
    if (canvas.width !== Math.round(w * ratio) || canvas.height !== Math.round(hgt * ratio)) { canvas.width = Math.round(w * ratio); canvas.height = Math.round(hgt * ratio); }
    const context = canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, w, hgt);
    context.save();
    context.beginPath();
    context.rect(this.x, this.y, this.width * this.scale, this.height * this.scale);
    context.clip();
    context.imageSmoothingEnabled = this.scale * ratio < 3;
    const sharp = Math.min(this.levels - 1, Math.max(0, this.levels - 1 + Math.ceil(Math.log2(this.scale * ratio))));
    for (let level = 0; level <= sharp; level += 1) if (level === 0 || level >= sharp - 1) this.layer(context, level, level === sharp);
    context.restore();
    this.note.textContent = `${this.width} × ${this.height}, shown at ${Math.round(this.scale * ratio * 100)}%`;
  }

  layer(context, level, wanted) {
    const shrink = 2 ** (this.levels - 1 - level), side = this.tile * shrink, [w, hgt] = this.size;
    const from = (offset) => Math.max(0, Math.floor(-offset / this.scale / side));
    const to = (offset, extent, whole) => Math.min(Math.ceil(whole / side), Math.ceil((extent - offset) / this.scale / side));
    for (let row = from(this.y); row < to(this.y, hgt, this.height); row += 1)
      for (let column = from(this.x); column < to(this.x, w, this.width); column += 1) {
        const image = this.load(level, row, column, wanted || level === 0);
        if (image?.complete && image.naturalWidth) context.drawImage(image, this.x + column * side * this.scale, this.y + row * side * this.scale, side * this.scale, side * this.scale);
      }
  }

  load(level, row, column, wanted) {
    const key = `${level}/${row}/${column}`;
    if (!this.tiles.has(key)) {
      if (!wanted) return null;
      const image = new Image();
      image.onload = () => this.draw();
      image.src = tileOf(this.job, level, row, column);
      this.tiles.set(key, image);
      if (this.tiles.size > KEPT) this.tiles.delete([...this.tiles.keys()].find((old) => !old.startsWith("0/")));
    }
    return this.tiles.get(key);
  }

  listen() {
    const canvas = this.canvas, keys = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] };
    canvas.addEventListener("keydown", (event) => {
      if (event.key in keys) this.move(...keys[event.key]);
      else if (event.key === "+" || event.key === "=") this.zoom(1.5);
      else if (event.key === "-") this.zoom(1 / 1.5);
      else if (event.key === "0") this.fit();
      else return;
      event.preventDefault();
    });
    canvas.addEventListener("wheel", (event) => { event.preventDefault(); this.zoom(Math.exp(-event.deltaY * 0.0015), event.offsetX, event.offsetY); }, { passive: false });
    canvas.addEventListener("pointerdown", (event) => { canvas.setPointerCapture(event.pointerId); this.pointers.set(event.pointerId, event); });
    canvas.addEventListener("pointermove", (event) => this.drag(event));
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, (event) => this.pointers.delete(event.pointerId));
    canvas.addEventListener("dblclick", (event) => this.zoom(2, event.offsetX, event.offsetY));
  }

  drag(event) {
    const before = this.pointers.get(event.pointerId);
    if (!before) return;
    const other = [...this.pointers.values()].find((one) => one.pointerId !== event.pointerId);
    if (other) {
      const apart = (one) => Math.hypot(one.offsetX - other.offsetX, one.offsetY - other.offsetY) || 1;
      this.zoom(apart(event) / apart(before), (event.offsetX + other.offsetX) / 2, (event.offsetY + other.offsetY) / 2);
    } else this.move(event.offsetX - before.offsetX, event.offsetY - before.offsetY);
    this.pointers.set(event.pointerId, event);
  }
}
