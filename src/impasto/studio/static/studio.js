// The page: choosing, starting, watching.

import { $, attempt, say } from "./dom.js";
import { follow, get, post, remove } from "./api.js";
import { Controls } from "./controls.js";
import { Explorer } from "./explore.js";
import { Gallery } from "./gallery.js";
import { Picker, keepLibrary } from "./picker.js";
import { Mask, openMask } from "./mask.js";
import { ENDED, Stage } from "./stage.js";
import { look } from "./viewer.js";

const TASKS = {
  stylize: { verb: "Paint", purpose: "Your photo, in the hand of a painting.", photo: true, painting: true },
  explore: { verb: "Make a sheet", purpose: "Nine small pictures over strength and strokes, to choose from.", photo: true, painting: true },
  texture: { verb: "Weave", purpose: "A surface of any size from the painting alone.", photo: false, painting: true },
  reconstruct: { verb: "Reconstruct", purpose: "What a layer of the network still knows of the photo.", photo: true, painting: false },
};

let task = "stylize", start = null, mask, photo, painting, controls, stage, gallery, explorer;

async function begin() {
  const [session, fields, samples] = await Promise.all([get("/session"), get("/settings"), get("/samples")]);
  $("logout").hidden = !session.locked;
  $("logout").addEventListener("click", async () => { await attempt(() => remove("/session")); location.assign("login"); });
  photo = new Picker($("photo"), { title: "Photo", samples: samples.filter((one) => one.kind === "photo"), changed: ready });
  painting = new Picker($("painting"), { title: "Painting", several: true, samples: samples.filter((one) => one.kind === "painting"), changed: ready });
  mask = new Mask(ready);
  $("where").addEventListener("click", () => openMask(mask, photo.ids[0], painting.chosen));
  controls = new Controls(fields, { basics: $("basics"), rest: $("rest") });
  stage = new Stage({ look, reuse, submitted, open });
  gallery = new Gallery(open);
  explorer = new Explorer((values) => { controls.load({ ...controls.values, ...values, size: Number(controls.values.size) > 192 ? controls.values.size : 512 }); choose("stylize"); say("Taken over. Paint makes it large."); $("go").focus(); });
  tabs();
  $("tools").addEventListener("submit", (event) => { event.preventDefault(); submit(); });
  choose("stylize");
  await Promise.all([keepLibrary([photo, painting]), gallery.load()]);
  await resume();
  follow(changed, (on) => { $("line").textContent = on ? "connected" : "waiting for the studio"; $("line").dataset.on = String(on); });
  document.body.dataset.ready = "true";
}

// What was on the stage before the page was closed, or else what is being made.
async function resume() {
  const id = new URLSearchParams(location.hash.slice(1)).get("job");
  const known = id && (await get(`/jobs/${id}`).catch(() => null));
  const job = known ?? [...gallery.jobs.values()].find((one) => !ENDED.includes(one.status));
  if (job) stage.show(job);
}

function changed({ jobs, gone }) {
  gallery.update(jobs, gone);
  for (const job of jobs) {
    explorer.update(job);
    if (job.id === stage.job?.id && $("sheet").hidden) stage.show(job);
  }
}

function tabs() {
  const all = [...$("tabs").children];
  for (const tab of all) {
    tab.addEventListener("click", () => choose(tab.dataset.task));
    tab.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      const next = step ? all.at((all.indexOf(tab) + step) % all.length) : { Home: all[0], End: all.at(-1) }[event.key];
      if (next) { event.preventDefault(); choose(next.dataset.task); next.focus(); }
    });
  }
}

function choose(name) {
  task = name;
  for (const tab of $("tabs").children) {
    const on = tab.dataset.task === name;
    tab.setAttribute("aria-selected", String(on));
    tab.tabIndex = on ? 0 : -1;
  }
  $("tools").setAttribute("aria-labelledby", `tab-${name}`);
  $("purpose").textContent = TASKS[name].purpose;
  $("photo").hidden = !TASKS[name].photo;
  $("painting").hidden = !TASKS[name].painting;
  controls.show(name);
  if (name === "explore") explorer.show();
  else if (!$("sheet").hidden) { $("sheet").hidden = true; $(stage.job ? "work" : "empty").hidden = false; }
  ready();
}

// What is missing before something can be made; the button says it when pressed all the same.
function missing() {
  const { photo: needsPhoto, painting: needsPainting } = TASKS[task];
  const lacks = [needsPhoto && !photo.ids.length ? "a photo" : null, needsPainting && !painting.ids.length ? "a painting" : null].filter(Boolean);
  return lacks.length ? `Choose ${lacks.join(" and ")} first.` : "";
}

function ready() {
  if (!controls) return;
  mask.keep(photo.ids[0], painting.ids);
  $("where").hidden = !photo.ids.length || !["stylize", "explore"].includes(task);
  $("where").textContent = mask.painted ? "Paint where… (in use)" : "Paint where…";
  $("go").textContent = TASKS[task].verb;
  $("go").classList.toggle("waits", Boolean(missing()));
  $("hint").textContent = missing() || (start ? `Starts from “${start.name}”.` : "");
}

async function submit() {
  if (missing()) { say(missing()); return; }
  if (!$("tools").reportValidity()) return;
  const inputs = {};
  if (TASKS[task].photo) inputs.content = photo.ids;
  if (TASKS[task].painting) inputs.styles = painting.ids;
  if (start) inputs.init = [start.id];
  const title = { texture: `Texture of ${painting.names}`, reconstruct: `${photo.names} from ${controls.values.layer ?? "conv4_2"}` }[task] ?? `${photo.names} after ${painting.names}`;
  $("go").disabled = true;
  $("hint").textContent = "One moment, the pictures are made ready.";
  if (task === "stylize" || task === "explore") {
    const places = mask.painted ? await attempt(() => mask.inputs(painting.ids)) : {};
    if (!places) { $("go").disabled = false; ready(); return; }
    Object.assign(inputs, places);
  }
  if (task === "explore") await explorer.start(inputs, title, controls.given);
  else {
    const job = await attempt(() => post("/jobs", { task, inputs, settings: controls.given, title: title.slice(0, 200) }));
    if (job) submitted(job);
  }
  $("go").disabled = false;
  ready();
}

function submitted(job) {
  start = null;
  gallery.put(job);
  open(job);
  ready();
}

function open(job) {
  stage.show(job);
  $("stage").scrollIntoView({ behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth", block: "start" });
  $("stage").focus({ preventScroll: true });
}

// A result as an ingredient, or a job's settings for another one.
function reuse(what, job) {
  const item = { id: `result:${job.id}`, name: job.title || "a picture" };
  if (what === "content") photo.choose([item]);
  if (what === "init") start = item;
  choose(job.task);
  if (what === "settings") controls.load(job.settings);
  say({ content: "It is the photo now.", init: "The next picture starts from it.", settings: "Its settings are loaded." }[what]);
  ready();
  $("tools").scrollIntoView({ block: "start" });
}

attempt(begin);
