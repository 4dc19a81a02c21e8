// The picture that is being made or looked at, and what can be done with it.

import { $, ask, attempt, duration, h, say } from "./dom.js";
import { get, inputOf, largeOf, post, previewOf, remove, resultOf } from "./api.js";
import { draw } from "./curve.js";
import { words } from "./controls.js";

const STATES = { queued: "Waiting for its turn", running: "Painting", paused: "Paused", stopped: "Stopped, and kept", done: "Done", failed: "Failed", canceled: "Canceled" };
export const ENDED = ["done", "stopped", "failed", "canceled"];
export const stateOf = (job) => STATES[job.status] ?? job.status;

export class Stage {
  constructor({ look, reuse, submitted, open }) {
    Object.assign(this, { look, reuse, submitted, open, job: null, comparing: false, wanted: new Map() });
    $("wipe").addEventListener("input", () => this.wipe());
    $("steering").addEventListener("input", () => ($("steered").textContent = Number($("steering").value).toFixed(2)));
    $("steering").addEventListener("change", () => this.steer(Number($("steering").value)));
    $("recipe").addEventListener("toggle", () => $("recipe").open && this.tell());
    $("picture").addEventListener("dblclick", () => this.job?.result && this.look(this.job));
  }

  show(job) {
    const other = job.id !== this.job?.id;
    const before = other ? null : this.job;
    this.job = job;
    $("empty").hidden = true;
    $("sheet").hidden = true;
    $("work").hidden = false;
    if (other) {
      this.compare(false);
      $("picture").removeAttribute("src");
      $("recipe").open = false;
      this.spoken = null;
    }
    $("title").textContent = job.title || "A picture";
    this.paint(before);
    this.narrate();
    if (!before || before.status !== job.status || before.result !== job.result) this.offer();
    if ($("recipe").open && before?.status !== job.status) this.tell();
    draw($("chart"), job.progress?.history ?? []);
  }

  clear() {
    this.job = null;
    $("work").hidden = true;
    $("empty").hidden = false;
    document.title = "impasto studio";
  }

  // The next picture is loaded aside and shown when it is there, so that nothing flickers.
  paint(before) {
    const job = this.job, image = $("picture");
    const source = job.result && ENDED.includes(job.status) ? largeOf(job) : job.preview ? previewOf(job) : null;
    $("waiting").hidden = Boolean(source);
    $("waiting").textContent = job.status === "failed" ? "There is no picture" : job.status === "canceled" ? "Canceled" : before?.status === "running" || job.status === "running" ? "The first strokes are on their way" : STATES[job.status];
    image.hidden = !source;
    if (!source) { this.source = null; return; }
    if (source === this.source && image.src) return;
    this.source = source;
    const next = new Image();
    next.onload = () => { if (this.source === source) { image.src = next.src; $("frame").style.setProperty("--ratio", next.naturalWidth / next.naturalHeight); image.dataset.version = String(job.preview); } };
    next.src = source;
    image.alt = job.title || "The picture";
  }

  narrate() {
    const { status, progress, error } = this.job;
    const parts = [STATES[status]];
    if (status === "running" && progress) parts.push(`level ${progress.level + 1} of ${progress.levels}`, `evaluation ${progress.evaluation} of ${progress.evaluations}`, ...(progress.level || progress.evaluation > 2 ? [`${duration(progress.remaining)} left`] : []));
    if (ENDED.includes(status) && progress) parts.push(`after ${duration(progress.seconds)}`);
    const share = status === "done" ? 100 : progress ? Math.round((100 * progress.seconds) / Math.max(progress.seconds + progress.remaining, 1e-9)) : 0;
    const text = error ? `${STATES[status]}: ${error}` : parts.join(" · ");
    if ($("state").textContent !== text) $("state").textContent = text;
    document.title = status === "running" ? `${share} % · impasto studio` : "impasto studio";
    this.speak(share, error);
    $("bar").hidden = ENDED.includes(status);
    $("bar").setAttribute("aria-valuenow", String(share));
    $("bar").firstElementChild.style.inlineSize = `${share}%`;
    $("steer").hidden = this.job.task !== "stylize" || !["running", "paused", "queued"].includes(status) || "content_weight" in this.job.settings;
    if (document.activeElement !== $("steering") && !this.wanted.has(this.job.id)) {
      $("steering").value = this.job.settings.strength ?? 0.5;
      $("steered").textContent = Number($("steering").value).toFixed(2);
    }
  }

  // For those who listen: the beginning, every quarter and the end, not every step.
  speak(share, error) {
    const { status, title } = this.job;
    const now = `${this.job.id} ${status} ${status === "running" ? Math.floor(share / 25) : ""}`;
    if (now === this.spoken) return;
    this.spoken = now;
    const quarter = status === "running" && share >= 25 ? `, ${25 * Math.floor(share / 25)} %` : "";
    $("spoken").textContent = `${STATES[status]}${quarter}: ${title || "a picture"}${error ? `. ${error}` : ""}`;
  }

  // The value that the slider was left at, one request at a time: the last one counts, however many came before it.
  async steer(strength) {
    const { id } = this.job, waiting = this.wanted.has(id);
    this.wanted.set(id, strength);
    if (waiting) return;
    for (let sent = null; sent !== this.wanted.get(id); ) {
      await new Promise((later) => setTimeout(later, 300));
      sent = this.wanted.get(id);
      const job = await attempt(() => post(`/jobs/${id}/adjust`, { settings: { strength: sent } }));
      if (job && sent === this.wanted.get(id) && this.job?.id === id) this.show(job);
    }
    this.wanted.delete(id);
  }

  offer() {
    const { status, result, inputs } = this.job;
    const button = (text, action, look = "quiet") => h("button", { type: "button", class: look, "data-action": text, onclick: action }, text);
    const active = !ENDED.includes(status);
    const compared = inputs.content ? h("button", { type: "button", class: "quiet", "aria-pressed": String(this.comparing), "data-action": "Compare", onclick: () => this.compare(!this.comparing) }, "Compare") : null;
    const list = active ? [
      status === "paused" ? button("Go on", () => this.act("resume"), "primary") : button("Pause", () => this.act("pause")),
      status === "queued" ? null : button("Stop and keep", () => this.act("stop")),
      compared,
      button("Cancel", () => this.act("cancel")),
    ] : [
      result ? h("a", { class: "primary", href: resultOf(this.job, true), download: "", "data-action": "Download" }, "Download") : null,
      result ? compared : null,
      result ? button("Look closely", () => this.look(this.job)) : null,
      result ? button("More", () => this.go(post(`/jobs/${this.job.id}/more`, { evaluations: 50 }))) : null,
      result ? button("Use as start", () => this.reuse("init", this.job)) : null,
      result ? button("Use as photo", () => this.reuse("content", this.job)) : null,
      result ? button("Use as painting", () => this.reuse("styles", this.job)) : null,
      button("Again", () => this.go(post(`/jobs/${this.job.id}/again`))),
      button("Load its settings", () => this.reuse("settings", this.job)),
      status === "failed" || status === "canceled" ? button("Retry", () => this.act("retry")) : null,
      button("Delete", () => this.discard()),
    ];
    const focused = document.activeElement?.dataset?.action;
    $("actions").replaceChildren(...list.filter(Boolean));
    if (focused) ($("actions").querySelector(`[data-action="${focused}"]`) ?? $("actions").firstElementChild)?.focus();
  }

  async act(verb, body = {}) {
    const job = await attempt(() => post(`/jobs/${this.job.id}/${verb}`, body));
    if (job) this.show(job);
  }

  async go(answer) {
    const job = await attempt(() => answer);
    if (job) this.submitted(job);
  }

  async discard() {
    const job = this.job;
    if (!(await ask(`Delete “${job.title || "this picture"}” for good?`, "Delete"))) return;
    await attempt(async () => { await remove(`/jobs/${job.id}`); this.clear(); history.replaceState(null, "", location.pathname); document.dispatchEvent(new CustomEvent("deleted", { detail: job.id })); });
  }

  compare(on) {
    this.comparing = on;
    for (const id of ["before", "divider", "wipe"]) $(id).hidden = !on;
    if (on) { $("before").firstElementChild.src = inputOf(this.job, "content"); this.wipe(); $("wipe").focus(); }
    $("actions").querySelector('[data-action="Compare"]')?.setAttribute("aria-pressed", String(on));
  }

  wipe() {
    const share = Number($("wipe").value);
    $("before").style.clipPath = `inset(0 ${100 - share}% 0 0)`;
    $("divider").style.insetInlineStart = `${share}%`;
  }

  // How the picture is made: the settings at once, and from the file itself once there is one.
  async tell() {
    const job = this.job;
    const facts = Object.entries(job.settings).map(([name, value]) => [name.replaceAll("_", " "), words(value)]);
    $("facts").replaceChildren(...(facts.length ? facts : [["settings", "the defaults"]]).flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
    $("parameters").textContent = "";
    if (!job.result) return;
    const found = await attempt(() => get(`/jobs/${job.id}/recipe`));
    if (found && this.job?.id === job.id) $("parameters").textContent = JSON.stringify(found.recipe, null, 2);
  }
}
