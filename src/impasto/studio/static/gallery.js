// Everything that was made, the newest first.

import { $, attempt, h } from "./dom.js";
import { get, previewOf } from "./api.js";
import { ENDED, stateOf } from "./stage.js";

const PAGE = 24;

export class Gallery {
  constructor(open) {
    this.open = open;
    this.jobs = new Map();
    this.before = null;
    let waiting;
    $("search").addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(() => this.load(), 250); });
    $("older").addEventListener("click", () => this.load(true));
    document.addEventListener("deleted", (event) => this.drop([event.detail]));
  }

  get searching() { return $("search").value.trim(); }

  async load(further = false) {
    const query = new URLSearchParams({ limit: String(PAGE), search: this.searching });
    if (further && this.before) query.set("before", String(this.before));
    const found = await attempt(() => get(`/jobs?${query}`));
    if (!found) return;
    if (!further) { this.jobs.clear(); $("cards").replaceChildren(); }
    this.before = found.before;
    for (const job of found.jobs) this.put(job);
    $("older").hidden = this.before === null;
    this.count();
  }

  // What the stream says. While searching, only what was found is kept up to date.
  update(jobs, gone) {
    for (const job of [...jobs].sort((a, b) => a.created - b.created)) if (this.jobs.has(job.id) || !this.searching) this.put(job);
    this.drop(gone);
  }

  drop(ids) {
    for (const id of ids) { this.jobs.delete(id); $("cards").querySelector(`[data-id="${CSS.escape(id)}"]`)?.remove(); }
    this.count();
  }

  count() {
    $("none").hidden = this.jobs.size > 0;
    $("none").textContent = this.searching ? "Nothing was found." : "Nothing here yet. What you make is kept here.";
  }

  put(job) {
    const old = this.jobs.get(job.id);
    this.jobs.set(job.id, job);
    const known = $("cards").querySelector(`[data-id="${CSS.escape(job.id)}"]`);
    const card = known ?? this.card(job);
    this.refresh(card, job, old);
    if (!known) {
      const after = [...$("cards").children].find((other) => this.jobs.get(other.dataset.id).created < job.created);
      $("cards").insertBefore(card, after ?? null);
    }
    this.count();
  }

  card(job) {
    const plain = (event) => !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey);
    const link = h("a", { class: "card", href: `#job=${job.id}`, onclick: (event) => { if (plain(event)) { event.preventDefault(); this.open(this.jobs.get(job.id)); } },
      draggable: "true", ondragstart: (event) => this.drag(event, job.id) },
      h("span", { class: "thumbnail" }, h("img", { alt: "", loading: "lazy" })), h("span", { class: "name", dir: "auto" }), h("span", { class: "badge" }));
    return h("li", { "data-id": job.id }, link);
  }

  drag(event, id) {
    const job = this.jobs.get(id);
    if (!job.result) { event.preventDefault(); return; }
    event.dataTransfer.setData("text/x-impasto", `result:${id}`);
    event.dataTransfer.setData("text/x-impasto-name", job.title || "a picture");
  }

  refresh(card, job, old) {
    const image = card.querySelector("img");
    if (job.preview && (!old || old.preview !== job.preview || !image.src)) image.src = previewOf(job);
    image.hidden = !job.preview;
    card.querySelector(".name").textContent = job.title || "A picture";
    const badge = card.querySelector(".badge");
    const share = job.progress ? ` ${Math.round((100 * job.progress.seconds) / Math.max(job.progress.seconds + job.progress.remaining, 1e-9))}%` : "";
    badge.textContent = job.status === "running" ? `${stateOf(job)}${share}` : stateOf(job);
    badge.dataset.status = job.status;
    card.classList.toggle("active", !ENDED.includes(job.status));
  }
}
