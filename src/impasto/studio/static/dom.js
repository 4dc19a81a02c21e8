// Elements are made here and nowhere from text: what users write can only ever become text nodes.

export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name in element && !["list", "form", "type", "role"].includes(name) && typeof value !== "string") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

export const $ = (id) => document.getElementById(id);

let fading;

export function say(sentence) {
  const toast = $("toast");
  toast.textContent = sentence;
  toast.hidden = false;
  clearTimeout(fading);
  fading = setTimeout(() => (toast.hidden = true), 7000);
}

// Runs what a user asked for; what goes wrong is said in the server's words.
export async function attempt(action) {
  try {
    return await action();
  } catch (error) {
    say(error.message);
    return undefined;
  }
}

// What the browser keeps of the page, for the studio at this address.
const place = (name) => `impasto:${new URL("..", import.meta.url).pathname}:${name}`;

export function keep(name, value) {
  try { localStorage.setItem(place(name), JSON.stringify(value)); } catch { /* no room, or not allowed: nothing is kept */ }
}

export function kept(name) {
  try { return JSON.parse(localStorage.getItem(place(name))); } catch { return null; }
}

export function ask(question, sure) {
  const dialog = $("asking");
  $("question").textContent = question;
  $("sure").textContent = sure;
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((resolve) => dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true }));
}

export function duration(seconds) {
  if (!Number.isFinite(seconds)) return "";
  if (seconds < 60) return `${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 3600) return `${Math.round(seconds / 60)} min`;
  return `${Math.floor(seconds / 3600)} h ${Math.round((seconds % 3600) / 60)} min`;
}
