// The loss over the evaluations, drawn as SVG; each level of the pyramid begins with a jump.

const SPACE = "http://www.w3.org/2000/svg";
const H = 84;

function s(tag, attributes) {
  const element = document.createElementNS(SPACE, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

export function draw(place, history) {
  const points = history.filter(([, value]) => value > 0);
  if (points.length < 2) { place.replaceChildren(); return; }
  const W = Math.max(200, place.clientWidth);
  const logs = points.map(([, value]) => Math.log10(value));
  const low = Math.min(...logs), high = Math.max(...logs), last = points.at(-1)[0] || 1;
  const span = Math.max(high - low, 0.05);
  const x = (n) => 4 + (n / last) * (W - 8), y = (value) => 6 + (1 - (value - low) / span) * (H - 12);
  const line = points.map(([n], index) => `${x(n).toFixed(1)},${y(logs[index]).toFixed(1)}`).join(" ");
  const now = points.at(-1);
  const svg = s("svg", { viewBox: `0 0 ${W} ${H}`, role: "img",
    "aria-label": `Loss after ${now[0]} evaluations: ${now[1].toPrecision(3)}, from ${points[0][1].toPrecision(3)}` });
  svg.append(
    s("polygon", { points: `${x(points[0][0])},${H} ${line} ${x(last)},${H}`, class: "under" }),
    s("polyline", { points: line, class: "curve" }),
    s("circle", { cx: x(now[0]), cy: y(logs.at(-1)), r: 3.5, class: "now" }),
  );
  const words = document.createElement("p");
  words.textContent = `Loss ${now[1].toPrecision(3)} after ${now[0]} evaluations`;
  place.replaceChildren(svg, words);
}
