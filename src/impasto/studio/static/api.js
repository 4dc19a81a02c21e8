// Wherever a proxy has put the studio, its addresses begin where this file lies.
const HOME = new URL("..", import.meta.url).pathname;
const ROOT = `${HOME}api/v1`;

export class Refused extends Error {
  constructor(status, sentence) {
    super(sentence);
    this.status = status;
  }
}

async function send(method, path, body, headers = {}) {
  let answer;
  try {
    answer = await fetch(ROOT + path, { method, body, headers });
  } catch {
    throw new Refused(0, "The studio cannot be reached; is it still running?");
  }
  if (answer.status === 401) location.assign(`${HOME}login`);
  if (answer.status === 204) return null;
  const value = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refused(answer.status, value.error ?? `The studio answered ${answer.status}.`);
  return value;
}

const json = { "content-type": "application/json" };

export const get = (path) => send("GET", path);
export const post = (path, body = {}) => send("POST", path, JSON.stringify(body), json);
export const remove = (path) => send("DELETE", path);
export const upload = (blob, name, mask = false) =>
  send("POST", `/pictures?mask=${mask}&name=${encodeURIComponent(name.slice(0, 200))}`, blob, { "content-type": "application/octet-stream" });

// Addresses of pictures.
export const pictureOf = (reference, side = "small") => {
  const [kind, name] = reference.includes(":") ? reference.split(":") : ["picture", reference];
  if (kind === "sample") return side === "small" ? `${HOME}static/sample-${name}.jpg` : `${ROOT}/samples/${name}/image?side=${side}`;
  if (kind === "result") return `${ROOT}/jobs/${name}/image?side=${side}`;
  return `${ROOT}/pictures/${name}/image?side=${side}`;
};
export const previewOf = (job) => `${ROOT}/jobs/${job.id}/preview?v=${job.preview}`;
export const inputOf = (job, role, index = 0, side = "large") => `${ROOT}/jobs/${job.id}/inputs/${role}/${index}?side=${side}`;
export const resultOf = (job, download = false) => `${ROOT}/jobs/${job.id}/result${download ? "?download=true" : ""}`;
export const largeOf = (job) => `${ROOT}/jobs/${job.id}/image?side=large&v=${job.finished ?? 0}`;
export const tileOf = (job, level, row, column) => `${ROOT}/jobs/${job.id}/zoom/${level}/${row}/${column}`;

// The jobs as they change. A hidden page lets go of its stream: browsers allow only a few per server.
export function follow(onJobs, onLine) {
  let stream = null;
  const open = () => {
    stream = new EventSource(`${ROOT}/events`);
    stream.addEventListener("jobs", (event) => onJobs(JSON.parse(event.data)));
    stream.onopen = () => onLine(true);
    stream.onerror = () => onLine(false);
  };
  const close = () => { stream?.close(); stream = null; };
  document.addEventListener("visibilitychange", () => (document.hidden ? close() : stream ?? open()));
  addEventListener("pagehide", close);
  open();
}
