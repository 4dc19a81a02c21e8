// The page: choosing, starting, watching.

import { $, ask, attempt, keep, kept, say } from "./dom.js";
import { takeAnywhere } from "./drop.js";
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

let task = "stylize", start = null, last = null, missed = null, mask, photo, painting, controls, stage, gallery, explorer;

async function begin() {
  const [session, fields, samples] = await Promise.all([get("/session"), get("/settings"), get("/samples")]);
  $("logout").hidden = !session.locked;
  $("logout").addEventListener("click", async () => { for (const name of ["form", "sheet"]) keep(name, null); await attempt(() => remove("/session")); location.assign("login"); });
  photo = new Picker($("photo"), { title: "Photo", batch: true, samples: samples.filter((one) => one.kind === "photo"), changed: ready });
  painting = new Picker($("painting"), { title: "Painting", several: true, samples: samples.filter((one) => one.kind === "painting"), changed: ready });
  mask = new Mask(ready);
  $("where").addEventListener("click", () => openMask(mask, photo.ids[0], painting.chosen));
  controls = new Controls(fields, { basics: $("basics"), rest: $("rest") });
  stage = new Stage({ look, reuse, submitted, open });
  gallery = new Gallery(open);
  explorer = new Explorer((values) => { choose("stylize"); controls.load({ ...controls.values, ...values, size: Number(controls.values.size) > 192 ? controls.values.size : 512 }); say("Taken over. Paint makes it large."); $("go").focus(); });
  tabs();
  $("tools").addEventListener("submit", (event) => { event.preventDefault(); submit(); });
  $("anew").addEventListener("click", () => { start = null; ready(); $("go").focus(); });
  takeAnywhere(photo, painting);
  choose("stylize");
  await Promise.all([keepLibrary([photo, painting]), gallery.load()]);
  await recall();
  controls.changed = remember;
  await resume();
  if (task === "explore") explorer.show();
  addEventListener("popstate", resume);
  follow(changed, (on) => { $("line").textContent = on ? "connected" : "waiting for the studio"; $("line").dataset.on = String(on); });
  document.body.dataset.ready = "true";
}

// The picture that the address names, or else what is being made.
async function resume() {
  const here = location.hash, id = new URLSearchParams(here.slice(1)).get("job");
  const known = id && (await get(`/jobs/${encodeURIComponent(id)}`).catch(() => null));
  if (here !== location.hash) return;
  if (id && !known) say("There is no such picture any more.");
  const job = known ?? [...gallery.jobs.values()].find((one) => !ENDED.includes(one.status));
  if (job) stage.show(job);
  else if (stage.job) stage.clear();
}

// What was chosen stays chosen when the page is closed.
function remember() {
  keep("form", { task, photo: photo.chosen, painting: painting.chosen, each: controls.each });
}

async function recall() {
  const form = kept("form");
  if (!form?.each || !TASKS[form.task]) return;
  const there = new Set([...photo.samples, ...painting.samples].map((one) => `sample:${one.name}`).concat(photo.items.map((one) => one.id)));
  const still = async (item) => there.has(item.id) || (item.id.startsWith("result:") && (await get(`/jobs/${item.id.slice(7)}`).catch(() => null))?.result);
  const left = async (items) => { const known = await Promise.all(items.map(still)); return items.filter((item, index) => known[index]); };
  const [photos, paintings] = await Promise.all([left(form.photo ?? []), left(form.painting ?? [])]);
  controls.each = form.each;
  painting.mix.checked = paintings.length > 1;
  photo.choose(photos);
  painting.choose(paintings);
  choose(form.task);
}

function changed({ jobs, gone }) {
  gallery.update(jobs, gone);
  for (const job of jobs) {
    explorer.update(job);
    if (job.id !== stage.job?.id) continue;
    if ($("sheet").hidden) stage.show(job);
    else missed = job;
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
  else if (!$("sheet").hidden) {
    $("sheet").hidden = true;
    $(stage.job ? "work" : "empty").hidden = false;
    if (missed && missed.id === stage.job?.id) stage.show(missed);
    missed = null;
  }
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
  if (controls.changed) remember();
  mask.keep(photo.ids[0], painting.ids);
  $("where").hidden = photo.ids.length !== 1 || !["stylize", "explore"].includes(task);
  $("where").textContent = mask.painted ? "Paint where… (in use)" : "Paint where…";
  $("go").textContent = TASKS[task].verb;
  $("go").classList.toggle("waits", Boolean(missing()));
  const from = beginning(), count = TASKS[task].photo ? photo.ids.length : 1;
  $("hint").textContent = missing() || (from ? `Starts from “${from.name}”.` : count > 1 && task !== "explore" ? `${count} pictures, one of each photo.` : "");
  $("anew").hidden = !from;
}

// What the next picture starts from: a result is a start for the task that made it.
function beginning() { return start?.task === task ? start : null; }

async function submit() {
  if (missing()) { say(missing()); return; }
  if (!$("tools").reportValidity()) return;
  const inputs = {};
  if (TASKS[task].painting) inputs.styles = painting.ids;
  if (beginning()) inputs.init = [start.id];
  const photos = !TASKS[task].photo ? [null] : task === "explore" ? photo.chosen.slice(0, 1) : photo.chosen;
  if (task === "explore" && photo.ids.length > 1) say(`The sheet is of the first photo, ${photo.chosen[0].name}.`);
  const asked = JSON.stringify([task, inputs, photos, controls.given]);
  if (asked === last?.asked && !mask.painted && gallery.jobs.has(last.id) && !ENDED.includes(gallery.jobs.get(last.id).status) &&
    !(await ask("The same picture is being made already. Make it twice?", "Make it twice"))) return;
  $("go").disabled = true;
  $("hint").textContent = "One moment, the pictures are made ready.";
  if (task === "stylize" || task === "explore") {
    const places = mask.painted ? await attempt(() => mask.inputs(painting.ids)) : {};
    if (!places) { $("go").disabled = false; ready(); return; }
    Object.assign(inputs, places);
  }
  for (const one of photos) {
    const job = await make(one ? { ...inputs, content: [one.id] } : inputs, one?.name);
    if (!job) break;
    last = { asked, id: job.id };
  }
  $("go").disabled = false;
  ready();
}

// One picture, or a sheet of small ones.
async function make(inputs, name) {
  const title = { texture: `Texture of ${painting.names}`, reconstruct: `${name} from ${controls.values.layer ?? "conv4_2"}` }[task] ?? `${name} after ${painting.names}`;
  if (task === "explore") { await explorer.start(inputs, title, controls.given); return null; }
  const job = await attempt(() => post("/jobs", { task, inputs, settings: controls.given, title: title.slice(0, 200) }));
  if (job) submitted(job);
  return job;
}

function submitted(job) {
  start = null;
  gallery.put(job);
  open(job);
  ready();
}

function open(job) {
  if (location.hash !== `#job=${job.id}`) history.pushState(null, "", `#job=${job.id}`);
  stage.show(job);
  $("stage").scrollIntoView({ behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth", block: "start" });
  $("stage").focus({ preventScroll: true });
}

// A result as an ingredient, or a job's settings for another one.
async function reuse(what, job) {
  const item = { id: `result:${job.id}`, name: job.title || "a picture" };
  if (what === "content") { photo.choose([item]); choose("stylize"); }
  if (what === "styles") { painting.choose([item]); choose(TASKS[job.task].painting ? job.task : "stylize"); }
  if (what === "init") { start = { ...item, task: job.task }; choose(job.task); }
  if (what === "settings" && !(await restore(job))) return;
  const masked = job.inputs.masks || job.inputs.protect ? " Its masks are not: paint them again." : "";
  say({ content: "It is the photo now.", styles: "It is the painting now.", init: "The next picture starts from it.", settings: `Its photo, paintings and settings are back.${masked}` }[what]);
  ready();
  $("tools").scrollIntoView({ block: "start" });
}

// The photo, the paintings and the settings of a job, as they were.
async function restore(job) {
  const found = await attempt(() => post(`/jobs/${job.id}/ingredients`));
  if (!found) return false;
  document.dispatchEvent(new CustomEvent("library"));
  if (found.content) photo.choose(found.content);
  if (found.styles) { painting.mix.checked = found.styles.length > 1; painting.choose(found.styles); }
  choose(job.task);
  controls.load(job.settings);
  return true;
}

attempt(begin);
