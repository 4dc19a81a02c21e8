// The settings as controls: a few at hand, the rest in a drawer that is made from the studio's own description of them.

import { $, h } from "./dom.js";

const HANDY = {
  stylize: ["strength", "size", "style_scale", "color"],
  explore: ["color"],
  texture: ["shape", "tileable"],
  reconstruct: ["layer", "size"],
};
const SIZES = [256, 512, 768, 1024, 1536, 2048];
const LAYERS = ["conv1_1", "conv2_1", "conv2_2", "conv3_1", "conv3_2", "conv4_1", "conv4_2", "conv5_1", "conv5_2"];
const SLIDERS = {
  strength: { min: 0, max: 1, step: 0.05, value: 0.5, label: "Strength", low: "photo", high: "painting" },
  style_scale: { min: 0.25, max: 2, step: 0.05, value: 1, label: "Size of strokes", low: "fine", high: "broad" },
};
const LABELS = { color: "Color", size: "Size", layer: "Layer", tileable: "Copies meet without a seam" };

export class Controls {
  constructor(fields, { basics, rest }) {
    this.fields = new Map(fields.map((field) => [field.name, field]));
    this.basics = basics;
    this.rest = rest;
    this.each = {};
    this.task = "stylize";
    this.fill();
  }

  // What was set, by task: what is set for a texture is nothing to a painting. Explore has those of Paint.
  get values() { return (this.each[this.task === "explore" ? "stylize" : this.task] ??= {}); }

  // Settings that were given, for the current task.
  get given() {
    const apply = new Set([...this.handy, ...this.drawn]);
    return Object.fromEntries(Object.entries(this.values).filter(([name, value]) => apply.has(name) && value !== "" && value !== null));
  }

  get handy() { return HANDY[this.task].filter((name) => this.fields.has(name) || ["shape", "tileable", "layer"].includes(name)); }

  get drawn() { return [...this.fields.keys()].filter((name) => !this.handy.includes(name) && this.applies(name)); }

  applies(name) {
    if (this.task === "explore") return this.fields.get(name).tasks.includes("stylize") && !["strength", "size", "style_scale"].includes(name);
    return this.fields.get(name).tasks.includes(this.task);
  }

  show(task) {
    this.task = task;
    this.fill();
  }

  load(values) {
    this.each[this.task === "explore" ? "stylize" : this.task] = { ...values };
    this.fill();
    this.changed?.();
  }

  set(name, value) {
    if (value === "" || value === null) delete this.values[name];
    else this.values[name] = value;
    this.count();
    this.changed?.();
  }

  fill() {
    this.basics.replaceChildren(...this.handy.map((name) => this.handyControl(name)));
    const groups = Map.groupBy ? Map.groupBy(this.drawn, (name) => this.fields.get(name).group) : grouped(this.drawn, (name) => this.fields.get(name).group);
    this.rest.replaceChildren(
      ...[...groups].map(([title, names]) => h("fieldset", {}, h("legend", {}, title), ...names.map((name) => this.field(this.fields.get(name))))),
      h("button", { type: "button", class: "quiet", onclick: () => { for (const name of this.drawn) delete this.values[name]; this.fill(); } }, "Back to the defaults"));
    this.count();
  }

  count() {
    const changed = this.drawn.filter((name) => name in this.values).length;
    const summary = this.rest.closest("details").querySelector("summary");
    summary.textContent = changed ? `Everything else (${changed} changed)` : "Everything else";
  }

  handyControl(name) {
    if (name in SLIDERS) return this.slider(name, SLIDERS[name]);
    if (name === "size") return this.size();
    if (name === "shape") return this.shape();
    if (name === "tileable") return this.toggle(name);
    if (name === "layer") return this.select(name, LAYERS, "conv4_2", "The deeper, the less of the photo's pixels and the more of its arrangement.");
    return this.field(this.fields.get(name));
  }

  slider(name, { min, max, step, value, label, low, high }) {
    const now = this.values[name] ?? value;
    const output = h("output", { for: `set-${name}` }, Number(now).toFixed(2));
    const input = h("input", { type: "range", id: `set-${name}`, min: String(min), max: String(max), step: String(step),
      oninput: () => { output.textContent = Number(input.value).toFixed(2); this.set(name, Number(input.value)); } });
    input.value = now;
    return h("div", { class: "field slider" }, h("label", { for: input.id }, label), output, input,
      h("small", { class: "ends", "aria-hidden": "true" }, h("span", {}, low), h("span", {}, high)));
  }

  size() {
    const limit = this.fields.get("size").maximum;
    const input = h("input", { type: "number", id: "set-size", min: "16", max: String(limit), step: "1", inputmode: "numeric",
      oninput: () => { this.set("size", input.value === "" ? null : Number(input.value)); mark(); } });
    input.value = this.values.size ?? this.fields.get("size").default;
    const chips = SIZES.filter((size) => size <= limit).map((size) => h("button", { type: "button", class: "chip", "data-size": String(size),
      onclick: () => { input.value = size; this.set("size", size); mark(); } }, String(size)));
    const mark = () => chips.forEach((chip) => chip.setAttribute("aria-pressed", String(chip.dataset.size === input.value)));
    mark();
    return h("div", { class: "field size" }, h("label", { for: input.id }, "Size"), h("span", { class: "unit" }, input, " px"),
      h("div", { class: "chips", role: "group", "aria-label": "Common sizes" }, chips));
  }

  shape() {
    const [height, width] = this.values.shape ?? [512, 512];
    const side = (label, value) => h("input", { type: "number", min: "16", max: String(this.fields.get("size").maximum), step: "1", inputmode: "numeric", "aria-label": label, value: String(value),
      oninput: () => this.set("shape", [Number(tall.value), Number(wide.value)]) });
    const wide = side("Width", width), tall = side("Height", height);
    this.values.shape ??= [height, width];
    return h("div", { class: "field shape" }, h("span", {}, "Size"), h("span", { class: "unit" }, wide, " × ", tall, " px"));
  }

  toggle(name) {
    const input = h("input", { type: "checkbox", id: `set-${name}`, onchange: () => this.set(name, input.checked ? true : null) });
    input.checked = Boolean(this.values[name]);
    return h("div", { class: "field toggle" }, input, h("label", { for: input.id }, LABELS[name] ?? this.fields.get(name).label));
  }

  select(name, words, usual, help) {
    const input = h("select", { id: `set-${name}`, "aria-describedby": `help-${name}`, onchange: () => this.set(name, input.value === usual ? null : input.value) },
      words.map((word) => h("option", { value: word }, word)));
    input.value = this.values[name] ?? usual;
    if (name === "layer") this.values.layer ??= usual;
    return h("div", { class: "field" }, h("label", { for: input.id }, LABELS[name] ?? this.fields.get(name)?.label ?? name), input,
      h("small", { id: `help-${name}` }, help));
  }

  field(field) {
    if (field.kind === "choice") return this.select(field.name, field.choices, field.default ?? field.choices[0], field.help);
    if (field.kind === "switch") return this.toggle(field.name);
    const whole = field.kind === "integer", number = whole || field.kind === "number";
    const input = h("input", { id: `set-${field.name}`, type: number ? "number" : "text", "aria-describedby": `help-${field.name}`, spellcheck: "false", maxlength: "400",
      step: whole ? "1" : "any", min: number && field.minimum !== null ? String(field.minimum) : null, max: number && field.maximum !== null ? String(field.maximum) : null,
      placeholder: words(field.default), oninput: () => this.set(field.name, input.value.trim() === "" ? null : number ? Number(input.value) : input.value.trim()) });
    input.value = words(this.values[field.name]);
    return h("div", { class: "field" }, h("label", { for: input.id }, field.label), input, h("small", { id: `help-${field.name}` }, field.help));
  }
}

export function words(value) {
  if (value === null || value === undefined) return "";
  if (Array.isArray(value)) return value.join(",");
  if (typeof value === "object") return Object.entries(value).map(([name, weight]) => (weight === 1 ? name : `${name}:${weight}`)).join(",");
  return String(value);
}

function grouped(names, key) {
  const groups = new Map();
  for (const name of names) groups.set(key(name), [...(groups.get(key(name)) ?? []), name]);
  return groups;
}
