// What flowcast's pages share: numbers as people write them, elements, scales. A page defines before it: report (its data),
// windowSeconds (length of a step) and kicker (what kind of page it is).

// ---- Numbers as people write them

const missing = "–";
const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const brief = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });
const exact = new Intl.NumberFormat("en", { maximumSignificantDigits: 4 });
const error = new Intl.NumberFormat("en", { minimumSignificantDigits: 3, maximumSignificantDigits: 3 });

const formatCount = (value) => isNumber(value) ? whole.format(value) : missing;
const formatPercent = (share, digits = 1) => isNumber(share) ? `${(share * 100).toFixed(digits)}%` : missing;
const plural = (count, noun) => `${formatCount(count)} ${noun}${count === 1 ? "" : "s"}`;

function withPrefix(value, unit, format) {
  const power = Math.floor(Math.log10(Math.abs(value) || 1) / 3);
  const step = Math.min(Math.max(power, 0), 5);
  return `${format.format(value / 1000 ** step)} ${["", "k", "M", "G", "T", "P"][step]}${unit}`.trimEnd();
}

// A load in the unit of the target: 412, 1,240, 3.2 M; 18.4 kB.
function formatLoad(value, format = brief) {
  if (!isNumber(value)) return missing;
  if (report.target === "bytes") return withPrefix(value, "B", format);
  if (Math.abs(value) >= 1e5) return withPrefix(value, "", format);
  return (Math.abs(value) >= 100 ? whole : format).format(value);
}

function formatSigned(value) {
  if (!isNumber(value)) return missing;
  return (value > 0 ? "+" : value < 0 ? "−" : "±") + formatLoad(Math.abs(value));
}

function formatDuration(seconds) {
  if (!isNumber(seconds)) return missing;
  if (seconds < 59.95) return `${brief.format(seconds)} s`;
  const units = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  const total = Math.round(seconds), first = units.findIndex(([size]) => total >= size);
  const [[size, unit], [smaller, smallerUnit]] = units.slice(first);
  const rest = Math.floor((total % size) / smaller);
  return `${Math.floor(total / size)} ${unit}` + (rest ? ` ${rest} ${smallerUnit}` : "");
}

// ---- Building the page. Children that are strings become text nodes: foreign text never becomes markup.

const builder = (create) => (tag, attributes = {}, ...children) => {
  const element = create(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children.flat());
  return element;
};
const html = builder((tag) => document.createElement(tag));
const svg = builder((tag) => document.createElementNS("http://www.w3.org/2000/svg", tag));
const line = (className, x1, y1, x2, y2) => svg("line", { class: className, x1, y1, x2, y2 });
const label = (className, x, y, anchor, text) => svg("text", { class: className, x, y, "text-anchor": anchor }, text);
const area = (className, left, right, top, bottom) =>
  svg("rect", { class: className, x: left, y: top, width: Math.max(right - left, 1), height: bottom - top });

function button(text, name, action) {
  const element = html("button", { type: "button", "aria-label": name, title: name }, text);
  element.addEventListener("click", action);
  return element;
}

// A bar filled to a share of its length, with an optional mark to compare it with.
function meter(share, mark) {
  const length = (value) => `${Math.min(Math.max(value || 0, 0), 1) * 100}%`;
  const bar = html("div", { class: "meter", "aria-hidden": "true" }, html("div", { class: "filled" }), html("div", { class: "mark" }));
  bar.firstChild.style.width = length(share);
  if (isNumber(mark)) bar.lastChild.style.left = length(mark); else bar.lastChild.remove();
  return bar;
}

// columns: [heading, whether it holds numbers]; rows: arrays of text or elements, in the columns' order.
function table(name, columns, rows) {
  const kind = (i) => ({ class: columns[i][1] ? "number" : i ? "" : "name" });
  const head = columns.map(([text], i) => html("th", { ...kind(i), scope: "col" }, text));
  const body = rows.map((row) => html("tr", {}, row.map((cell, i) => html("td", kind(i), cell))));
  const grid = html("table", {}, html("thead", {}, html("tr", {}, head)), html("tbody", {}, body));
  return html("div", { class: "card scroll", role: "region", "aria-label": name, tabindex: "0" }, grid);
}

function key(className, colour, text) {
  const element = html("span", { class: `key ${className}` }, text);
  element.style.setProperty("--swatch", `var(--${colour})`);
  return element;
}

function section(heading, ...children) {
  return html("section", {}, html("h2", {}, heading), ...children);
}

// ---- Scales, ticks and sampling

function linearScale(from, to, start, end) {
  const slope = (end - start) / (to - from);
  const scale = (value) => start + (value - from) * slope;
  scale.invert = (position) => from + (position - start) / slope;
  return scale;
}

function niceStep(span, count) {
  const raw = span / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  return [1, 2, 2.5, 5, 10].find((step) => step * power >= raw * 0.999) * power;
}

function ticksBetween(from, to, step) {
  const first = Math.ceil(from / step - 1e-9), count = Math.floor(to / step + 1e-9) - first + 1;
  return Array.from({ length: count }, (_, i) => (first + i) * step || 0);
}

// Index of the first time that is not before `time`.
function lowerBound(times, time) {
  let low = 0, high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle] < time) low = middle + 1; else high = middle;
  }
  return low;
}

// Rows [time, value...] as columns; what is missing becomes NaN.
function makeSeries(rows, lowColumn, highColumn) {
  const numbers = (column) => Float64Array.from(rows, (row) => isNumber(row[column]) ? row[column] : NaN);
  const times = numbers(0);
  const spacing = times.length > 1 ? (times.at(-1) - times[0]) / (times.length - 1) : 0;
  return { times, lows: numbers(lowColumn), highs: numbers(highColumn), gap: 1.5 * Math.max(windowSeconds, spacing) };
}

function indexAt(series, time) {
  const index = lowerBound(series.times, time - windowSeconds / 2);
  return Math.abs(series.times[index] - time) <= windowSeconds / 2 ? index : -1;
}

// The visible part of a series as runs without a gap, each with at most one {x, low, high} per pixel:
// the extremes are kept, so that no peak is lost however far one has zoomed out.
function visibleRuns(series, view, x) {
  const { times, lows, highs, gap } = series;
  const runs = [];
  let run = null, column = null;
  const first = Math.max(lowerBound(times, view.from) - 1, 0);
  for (let i = first; i < times.length && !(times[i - 1] > view.to); i++) {
    if (!(lows[i] <= highs[i])) { run = null; continue; }
    if (!run || times[i] - times[i - 1] > gap) { runs.push(run = []); column = null; }
    const position = x(times[i]);
    if (!column || Math.floor(position) !== Math.floor(column.x)) {
      run.push(column = { x: position, low: lows[i], high: highs[i] });
    } else {
      column.low = Math.min(column.low, lows[i]);
      column.high = Math.max(column.high, highs[i]);
    }
  }
  return runs;
}

const highest = (runs) => runs.flat().reduce((most, column) => Math.max(most, column.high), 0);
const point = (x, y) => `${x.toFixed(1)} ${y.toFixed(1)}`;
const dotPath = (runs, y) => runs.flat().map(({ x, high }) => `M${point(x, y(high))}h0`).join("");

function linePath(runs, y) {
  const column = ({ x, low, high }) => low === high ? point(x, y(low)) : `${point(x, y(high))}L${point(x, y(low))}`;
  return runs.map((run) => `M${run.map(column).join("L")}${run.length === 1 ? "h0" : ""}`).join("");
}

function areaPath(runs, y) {
  const upper = (run) => run.map(({ x, high }) => point(x, y(high)));
  const lower = (run) => run.map(({ x, low }) => point(x, y(low))).reverse();
  return runs.map((run) => `M${[...upper(run), ...lower(run)].join("L")}Z`).join("");
}

// ---- Words that pages share

const promised = report?.interval?.high - report?.interval?.low;
const promisedText = isNumber(promised) ? formatPercent(promised, 0) : "predicted";

function skillOf({ mae, mae_persistence: persistence, skill_percent: percent }) {
  if (isNumber(percent)) return percent / 100;
  return isNumber(mae) && persistence > 0 ? 1 - mae / persistence : null;
}

// Honest about the sign: worse than repeating the last value is said in as many words.
function skillVerdict(skill) {
  if (!isNumber(skill)) return html("span", { class: "muted" }, "not compared with persistence");
  if (Math.abs(skill) < 0.0005) return html("span", {}, "level with persistence");
  const [tone, word] = skill > 0 ? ["good", "better"] : ["bad", "worse"];
  return html("span", { class: tone }, `${formatPercent(Math.abs(skill))} ${word} than persistence`);
}

function coverageVerdict(coverage) {
  if (!isNumber(coverage) || !isNumber(promised)) return html("span", { class: "muted" }, "not measured");
  const points = (coverage - promised) * 100;
  const text = `${Math.abs(points).toFixed(1)} points ${points < 0 ? "below" : "above"} what was promised`;
  if (points < -3) return html("span", { class: "bad" }, text);
  return html("span", { class: points > 5 ? "muted" : "good" }, Math.abs(points) < 0.05 ? "exactly what was promised" : text);
}

function tile(name, value, ...notes) {
  const kind = (note) => ({ class: note.className === "meter" ? "" : note instanceof Element ? "verdict" : "note" });
  return html("dl", { class: "card tile" }, html("dt", {}, name), html("dd", { class: value.length > 16 ? "value long" : "value" }, value),
    notes.map((note) => html("dd", kind(note), note)));
}

function header(heading, text) {
  return html("header", {}, html("p", { class: "kicker" }, kicker), html("h1", {}, heading), html("p", { class: "lead" }, text));
}
