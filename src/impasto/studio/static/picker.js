// A place to drop, paste or choose pictures: samples, one's library, results. Of photos several make a picture each; several
// paintings are mixed.

import { attempt, h, say } from "./dom.js";
import { get, pictureOf, remove, upload } from "./api.js";

export class Picker {
  constructor(place, { title, samples, several = false, batch = false, changed }) {
    Object.assign(this, { place, title, samples, several, batch, changed, chosen: [], items: [] });
    this.file = h("input", { type: "file", accept: "image/*", multiple: several || batch, class: "unseen", id: `${place.id}-file`,
      onchange: () => { this.take([...this.file.files]); this.file.value = ""; } });
    this.shown = h("div", { class: "shown" });
    this.strip = h("div", { class: "strip", role: "group", "aria-label": `${title}: choose one` });
    this.mix = h("input", { type: "checkbox", id: `${place.id}-mix`, onchange: () => { if (!this.mix.checked) this.choose(this.chosen.slice(0, 1)); } });
    place.append(
      h("header", {}, h("h2", { id: `${place.id}-title` }, title),
        several ? h("label", { class: "mix", title: "Choose several paintings" }, this.mix, " mix") : null),
      h("div", { class: "drop" }, this.shown,
        h("p", {}, h("label", { class: "browse", for: this.file.id }, h("span", {}, "Choose a file"), h("span", { class: "unseen" }, ` as the ${title.toLowerCase()}`)), this.file, h("span", { class: "desk" }, " or drop it"))),
      this.strip,
    );
    this.listen();
    this.draw();
  }

  listen() {
    const drop = this.place;
    let depth = 0;
    drop.addEventListener("dragenter", (event) => { event.preventDefault(); depth += 1; drop.classList.add("over"); });
    drop.addEventListener("dragleave", () => { depth -= 1; if (depth <= 0) { depth = 0; drop.classList.remove("over"); } });
    drop.addEventListener("dragover", (event) => event.preventDefault());
    drop.addEventListener("drop", (event) => {
      event.preventDefault();
      depth = 0;
      drop.classList.remove("over");
      const reference = event.dataTransfer.getData("text/x-impasto");
      if (reference) this.pick(reference, event.dataTransfer.getData("text/x-impasto-name"));
      else this.take([...event.dataTransfer.files]);
    });
    drop.addEventListener("paste", (event) => {
      const files = [...event.clipboardData.files];
      if (files.length) { event.preventDefault(); this.take(files); }
    });
  }

  // Files from outside: sent to the studio, which says whether they are pictures.
  async take(files) {
    if (!files.length) return;
    this.place.classList.add("busy");
    const taken = [];
    for (const file of files) {
      const item = await attempt(() => upload(file, file.name || "pasted picture"));
      if (!item) continue;
      document.dispatchEvent(new CustomEvent("library"));
      taken.push({ id: item.id, name: item.name });
    }
    this.place.classList.remove("busy");
    if (files.length === 1) for (const { id, name } of taken) this.pick(id, name);
    else this.all(taken);
  }

  // Several at once.
  all(items) {
    const different = items.filter((item, index) => items.findIndex((one) => one.id === item.id) === index);
    if (!different.length) return;
    const most = this.several ? 8 : different.length, chosen = different.slice(0, most);
    if (this.several) this.mix.checked = chosen.length > 1;
    this.choose(chosen);
    const left = different.length > most ? ` ${different.length - most} more than can be mixed were left out.` : "";
    if (chosen.length > 1) say(this.several ? `${chosen.length} paintings, which are mixed.${left}` : `${chosen.length} photos: each becomes a picture of its own.`);
  }

  pick(id, name) {
    const known = this.chosen.some((item) => item.id === id);
    if (this.several && this.mix.checked) {
      if (!known && this.chosen.length >= 8) { say("Eight paintings are as many as can be mixed."); return; }
      this.choose(known ? this.chosen.filter((item) => item.id !== id) : [...this.chosen, { id, name }]);
    } else this.choose([{ id, name }]);
  }

  choose(items) {
    this.chosen = items;
    this.draw();
    this.changed?.();
  }

  get ids() { return this.chosen.map((item) => item.id); }
  get names() { return this.chosen.map((item) => item.name).join(" and "); }

  update(items) {
    this.items = items;
    this.draw();
  }

  draw() {
    this.shown.replaceChildren(...this.chosen.map((item) => h("figure", {},
      h("img", { src: pictureOf(item.id), alt: item.name, draggable: "false" }), h("figcaption", { dir: "auto" }, item.name))));
    this.shown.dataset.count = this.chosen.length;
    this.place.classList.toggle("filled", this.chosen.length > 0);
    const own = this.items.map((item) => ({ id: item.id, name: item.name, own: true }));
    const all = [...own, ...this.samples.map((item) => ({ id: `sample:${item.name}`, name: item.title }))];
    const focused = document.activeElement?.dataset?.id;
    this.strip.replaceChildren(...all.map((item) => this.thumb(item)));
    if (focused) this.strip.querySelector(`[data-id="${CSS.escape(focused)}"]`)?.focus();
  }

  thumb(item) {
    const on = this.chosen.some((one) => one.id === item.id);
    const button = h("button", { type: "button", class: "thumb", "aria-pressed": String(on), "data-id": item.id, title: item.name,
      onclick: () => this.pick(item.id, item.name) },
      h("img", { src: pictureOf(item.id), alt: item.name, loading: "lazy", width: 72, height: 72 }));
    if (!item.own) return button;
    return h("span", { class: "owned" }, button, h("button", { type: "button", class: "forget", "aria-label": `Remove ${item.name} from your library`,
      onclick: () => attempt(async () => {
        await remove(`/pictures/${item.id}`);
        this.choose(this.chosen.filter((one) => one.id !== item.id));
        document.dispatchEvent(new CustomEvent("library"));
      }) }, "×"));
  }
}

export async function keepLibrary(pickers) {
  const refresh = () => attempt(async () => {
    const items = await get("/pictures");
    for (const picker of pickers) picker.update(items.slice(0, 40));
  });
  document.addEventListener("library", refresh);
  await refresh();
}
