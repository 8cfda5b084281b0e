// A chart of what was measured and what was forecast, with a view that can be moved. A page defines beside page.js:
// formatTime(time), timeTicks(view, count), rangeText(view), unitText and horizonSeconds.

// ---- The chart of one link: a zoomed view, an overview with a brush, a cross-hair

class LinkChart {
  constructor(link, number) {
    this.link = link;
    this.clip = `clip-${number}`;
    this.alerts = (link.alerts ?? []).filter((alert) => isNumber(alert.fired));
    this.actual = makeSeries(link.actual ?? [], 1, 1);
    this.median = makeSeries(link.forecast ?? [], 1, 1);
    this.band = makeSeries(link.forecast ?? [], 2, 3);
    this.times = Float64Array.from(new Set([...this.actual.times, ...this.median.times])).sort();
    this.extent = { from: this.times[0], to: this.times.at(-1) + windowSeconds };
    this.other = makeSeries(link.other ?? [], 1, 1);
    this.learnedUntil = link.learned_until ?? report.model?.trained_until;
    this.followers = [];  // called with the frame whenever the view has changed
    this.build();
    this.listen();
  }

  build() {
    const name = this.link.link ?? missing;
    this.svg = svg("svg", { "aria-hidden": "true" });
    this.overviewSvg = svg("svg", { "aria-hidden": "true" });
    this.range = html("span", { class: "muted" });
    this.tip = html("div", { class: "tip", role: "status", hidden: "" });
    this.plot = html("div", {
      class: "plot", tabindex: "0", role: "application", "aria-roledescription": "chart",
      "aria-label": `${name}: actual and predicted load. Arrow keys move, plus and minus zoom, 0 shows all, ` +
        "N goes to the next alert, Shift with arrow keys reads the values.",
    }, this.svg, this.tip);
    const bar = html("div", { class: "chart-bar" }, this.legend(), this.range, this.buttons());
    this.element = html("div", {}, bar, this.plot, html("div", { class: "overview" }, this.overviewSvg));
  }

  legend() {
    const keys = [key("", "actual", "actual"), key("", "forecast", "predicted"), key("block", "band", `${promisedText} interval`)];
    if (this.other.times.length) keys.push(key("", "other", this.link.other_name));
    if (isNumber(this.link.threshold)) keys.push(key("dashed", "alert", "threshold"));
    if (this.alerts.length) keys.push(key("mark", "alert", "alert"));
    return html("div", { class: "keys" }, html("b", {}, unitText), keys);
  }

  buttons() {
    const list = [button("−", "Zoom out", () => this.zoom(2)), button("+", "Zoom in", () => this.zoom(0.5)),
      button("All", "Show the whole time", () => this.showAll())];
    if (this.median.times.length) list.push(button("Watched", "Show the part that was forecast", () => this.showWatched()));
    if (this.alerts.length) list.push(button("Next alert", "Go to the next alert", () => this.showNextAlert()));
    return html("div", { class: "buttons" }, list);
  }

  // ---- What is in view

  setView(from, to) {
    if (!this.times.length) return;
    const length = this.extent.to - this.extent.from;
    const size = Math.min(Math.max(to - from, 10 * windowSeconds), length);
    const start = Math.min(Math.max(from, this.extent.from), this.extent.to - size);
    this.view = { from: start, to: start + size };
    this.frameRequest ??= requestAnimationFrame(() => this.draw());
  }

  centreOn(time, size) { this.setView(time - size / 2, time + size / 2); }
  showAll() { this.setView(this.extent.from, this.extent.to); }
  showWatched() { this.setView(this.median.times[0], this.median.times.at(-1) + windowSeconds); }
  showNextAlert() { this.showAlert(this.alerts[(this.alerts.indexOf(this.shownAlert) + 1) % this.alerts.length]); }
  alertEnd(alert) { return alert.resolved ?? this.extent.to; }

  zoom(factor, at = (this.view.from + this.view.to) / 2) {
    this.setView(at - (at - this.view.from) * factor, at + (this.view.to - at) * factor);
  }

  pan(share) {
    const step = (this.view.to - this.view.from) * share;
    this.setView(this.view.from + step, this.view.to + step);
  }

  // About 5 pixels a window, and the whole alert when it lasts longer than that.
  showAlert(alert) {
    this.shownAlert = alert;
    const lasted = this.alertEnd(alert) - alert.fired;
    const size = Math.max((this.width / 5) * windowSeconds, lasted * 1.5);
    this.centreOn(alert.fired + lasted / 2, size);
  }

  showFirst() {
    if (this.alerts.length) this.showAlert(this.alerts[0]);
    else if (this.median.times.length) this.showWatched();
    else this.showAll();
  }

  // The highest load that came while the alert stood, up to the last window that it spoke of.
  peakDuring(alert) {
    const first = lowerBound(this.actual.times, alert.fired);
    const last = lowerBound(this.actual.times, this.alertEnd(alert) + horizonSeconds + windowSeconds / 2);
    const values = this.actual.highs.slice(first, last).filter(isNumber);
    return values.length ? values.reduce((a, b) => Math.max(a, b)) : null;
  }

  // ---- Drawing

  resize(width) {
    if (!width || width === this.width) return;
    this.width = width;
    if (!this.view) this.showFirst();
    this.draw();
  }

  draw() {
    this.frameRequest = cancelAnimationFrame(this.frameRequest);
    const height = this.svg.clientHeight;
    const box = { left: this.width < 600 ? 48 : 58, right: this.width - 6, top: 22, bottom: height - 24 };
    const x = linearScale(this.view.from, this.view.to, box.left, box.right);
    const runs = [this.actual, this.median, this.band, this.other].map((series) => visibleRuns(series, this.view, x));
    const ceiling = this.ceiling(runs);
    const step = niceStep(ceiling, 5);
    const y = linearScale(0, Math.ceil(ceiling / step) * step, box.bottom, box.top);
    this.frame = { x, y, box };
    this.svg.setAttribute("viewBox", `0 0 ${this.width} ${height}`);
    this.cursor = svg("g");
    this.svg.replaceChildren(this.clipPath(), ...this.backdrop(step), this.curves(runs), ...this.limits(runs[0].flat()), this.cursor);
    this.range.textContent = rangeText(this.view);
    this.drawOverview();
    this.hideValues();
    for (const follow of this.followers) follow(this.view, this.frame);
  }

  // The top of the axis: what came and what was predicted, the interval and the limits as far as they are near.
  ceiling([actual, median, band]) {
    const top = Math.max(highest(actual), highest(median)) || 1;
    const limits = [this.link.threshold, this.link.capacity].filter((limit) => limit < top * 2);
    return Math.max(top, Math.min(highest(band), top * 1.5), ...limits) * 1.04;
  }

  clipPath() {
    const { left, right, top, bottom } = this.frame.box;
    return svg("clipPath", { id: this.clip }, area("", left, right, top, bottom));
  }

  backdrop(step) {
    const { x, y, box } = this.frame;
    const rows = ticksBetween(0, y.invert(box.top), step).flatMap((value) => [
      line(value ? "grid" : "axis", box.left, y(value), box.right, y(value)),
      label("", box.left - 8, y(value) + 4, "end", formatLoad(value, exact)),
    ]);
    const columns = timeTicks(this.view, (box.right - box.left) / 100).flatMap(({ time, name }) => [
      line("axis", x(time), box.bottom, x(time), box.bottom + 5),
      label("", x(time), box.bottom + 19, "middle", name),
    ]);
    return [...this.learning(), ...rows, ...columns, ...this.alertSpans()];
  }

  learning() {
    const { x, box } = this.frame;
    const edge = Math.min(x(this.learnedUntil), box.right);
    if (!(edge > box.left)) return [];
    const parts = [area("learning", box.left, edge, box.top, box.bottom)];
    if (edge < box.right) parts.push(line("boundary", edge, box.top, edge, box.bottom));
    if (edge - box.left > 90) parts.push(label("on-data", edge - 6, box.bottom - 8, "end", "learning part"));
    return parts;
  }

  alertSpans() {
    const { x, box } = this.frame;
    return this.alerts.filter((alert) => alert.fired <= this.view.to && this.alertEnd(alert) >= this.view.from).flatMap((alert) => {
      const left = Math.max(x(alert.fired), box.left), right = Math.min(x(this.alertEnd(alert)), box.right);
      const parts = [area("alert-span", left, right, box.top, box.bottom)];
      if (x(alert.fired) < box.left) return parts;
      const mark = svg("path", { class: "alert-mark", d: `M${left - 6} ${box.top - 3}h12l-6 -11z` });
      return [...parts, line("alert-edge", left, box.top, left, box.bottom), mark];
    });
  }

  curves([actual, median, band, other]) {
    const { y, box } = this.frame;
    const roomy = (box.right - box.left) * windowSeconds / (this.view.to - this.view.from) > 8;
    const path = (className, d) => svg("path", { class: className, d });
    return svg("g", { "clip-path": `url(#${this.clip})` }, path("band", areaPath(band, y)), path("actual", linePath(actual, y)),
      path("other", linePath(other, y)),
      path("median", linePath(median, y)), roomy ? path("actual dots", dotPath(actual, y)) : "");
  }

  // The names stand where they cover little of the curve: the threshold's at the end with the lower load.
  limits(actual) {
    const { left, right } = this.frame.box, falls = !(actual.at(-1)?.high > actual[0]?.high);
    const ends = [[right - 4, "end"], [left + 6, "start"]];
    const [near, far] = falls ? ends : ends.reverse();
    return [...this.limit("threshold", this.link.threshold, ...near), ...this.limit("capacity", this.link.capacity, ...far)];
  }

  limit(name, value, at, anchor) {
    const { y, box } = this.frame;
    if (!isNumber(value)) return [];
    const text = `${name} ${formatLoad(value)}`;
    const height = y(value);
    if (height < box.top) return [label("limit-name on-data", at, box.top + 14, anchor, `${text} ↑`)];
    const beside = height - box.top > 18 ? height - 6 : height + 15;
    return [line("limit", box.left, height, box.right, height), label("limit-name on-data", at, beside, anchor, text)];
  }

  drawOverview() {
    const height = 46, x = linearScale(this.extent.from, this.extent.to, this.frame.box.left, this.width - 6);
    const runs = visibleRuns(this.actual, this.extent, x);
    const y = linearScale(0, highest(runs) || 1, height, 4);
    const marks = this.alerts.map((alert) => area("alert-mark", x(alert.fired), x(this.alertEnd(alert)), height - 4, height));
    const learned = Math.min(Math.max(x(this.learnedUntil), x(this.extent.from)), x(this.extent.to)) || x(this.extent.from);
    const ticks = timeTicks(this.extent, this.width / 130).map(({ time, name }) => label("", x(time), height + 16, "middle", name));
    this.overview = { x };
    this.overviewSvg.setAttribute("viewBox", `0 0 ${this.width} ${height + 20}`);
    this.overviewSvg.replaceChildren(
      area("learning", x(this.extent.from), learned, 0, height), svg("path", { class: "actual", d: linePath(runs, y) }),
      ...ticks, line("axis", x(this.extent.from), height, x(this.extent.to), height), ...this.brush(x, height), ...marks);
  }

  brush(x, height) {
    const start = x(this.extent.from), left = x(this.view.from), right = x(this.view.to), end = x(this.extent.to);
    const handle = (at) => area("handle", at - 3, at + 3, height / 2 - 10, height / 2 + 10);
    return [
      area("touch", start, end, 0, height), area("veil", start, left, 0, height), area("veil", right, end, 0, height),
      area("brush", left, right, 0.75, height - 0.75), ...(right - left > 24 ? [handle(left), handle(right)] : []),
    ];
  }

  // ---- Values under the cross-hair

  showValues(time) {
    const after = Math.min(lowerBound(this.times, time), this.times.length - 1);
    const nearer = after > 0 && time - this.times[after - 1] < this.times[after] - time ? after - 1 : after;
    const at = this.times[nearer];
    this.cursorTime = at;
    const actual = this.actual.highs[indexAt(this.actual, at)], index = indexAt(this.median, at);
    const values = { actual, median: this.median.highs[index], low: this.band.lows[index], high: this.band.highs[index],
      other: this.other.highs[indexAt(this.other, at)] };
    this.drawCursor(at, values);
    this.fillTip(at, values);
  }

  drawCursor(at, { actual, median }) {
    const { x, y, box } = this.frame;
    const spot = (value, colour) => isNumber(value)
      ? [svg("circle", { class: "spot", cx: x(at), cy: y(value), r: 4.5, fill: `var(--${colour})` })] : [];
    this.cursor.replaceChildren(line("crosshair", x(at), box.top, x(at), box.bottom),
      ...spot(actual, "actual"), ...spot(median, "forecast"));
  }

  fillTip(at, { actual, median, low, high, other }) {
    const rows = [["Actual", formatLoad(actual)]];
    if (isNumber(median)) {
      const outside = actual < low || actual > high ? " (missed)" : "";
      rows.push(["Predicted", formatLoad(median)], [`${promisedText} interval`, `${formatLoad(low)} to ${formatLoad(high)}${outside}`],
        ["Predicted − actual", formatSigned(median - actual)]);
    }
    if (isNumber(other)) rows.push([this.link.other_name, formatLoad(other)]);
    const list = html("dl", {}, rows.flatMap(([term, value]) => [html("dt", {}, term), html("dd", {}, value)]));
    const alerts = this.alerts.filter((alert) => alert.fired <= at && at <= this.alertEnd(alert));
    this.tip.replaceChildren(html("p", { class: "when" }, formatTime(at)), list,
      ...alerts.map((alert) => html("p", {}, `▲ ${alert.summary ?? "alert"}`)));
    this.placeTip(this.frame.x(at));
  }

  placeTip(x) {
    this.tip.hidden = false;
    const room = this.plot.clientWidth - this.tip.offsetWidth;
    const beside = x > this.width / 2 ? x - this.tip.offsetWidth - 14 : x + 14;
    this.tip.style.left = `${Math.min(Math.max(beside, 0), room)}px`;
  }

  hideValues() {
    this.tip.hidden = true;
    this.cursor?.replaceChildren();
  }

  stepValues(direction) {
    const inside = this.cursorTime >= this.view.from && this.cursorTime <= this.view.to;
    const time = inside ? this.cursorTime + direction * windowSeconds : (this.view.from + this.view.to) / 2;
    if (time > this.view.from && time < this.view.to) this.showValues(time);
  }

  // ---- Pointer, wheel and keys

  listen() {
    onWidth(this.plot, (width) => this.resize(width));
    onDrag(this.svg, (at) => this.startPan(at));
    onDrag(this.overviewSvg, (at) => this.startBrush(at));
    this.svg.addEventListener("pointermove", (event) => {
      if (!event.buttons && this.frame) this.showValues(this.frame.x.invert(positionIn(this.svg, event)));
    });
    this.svg.addEventListener("pointerleave", (event) => event.pointerType === "touch" || this.hideValues());
    this.svg.addEventListener("wheel", (event) => this.onWheel(event), { passive: false });
    this.plot.addEventListener("keydown", (event) => this.onKey(event));
    this.plot.addEventListener("blur", () => this.hideValues());
  }

  startPan(start) {
    const { from, to } = this.view, { x } = this.frame;
    this.showValues(x.invert(start));
    return (at) => {
      const moved = x.invert(start) - x.invert(at);
      this.setView(from + moved, to + moved);
    };
  }

  // Inside the brush one moves it; at an edge or outside one draws it anew, from the edge that stays.
  startBrush(start) {
    const { x } = this.overview, { from, to } = this.view;
    const left = x(from), right = x(to), size = to - from, edge = Math.min(8, (right - left) / 4);
    const fixed = Math.abs(start - left) < edge ? to : Math.abs(start - right) < edge ? from : null;
    if (fixed === null && start > left && start < right) {
      return (at) => this.centreOn((from + to) / 2 + x.invert(at) - x.invert(start), size);
    }
    const anchor = fixed ?? x.invert(start);
    if (fixed === null) this.centreOn(anchor, size);
    return (at) => this.setView(Math.min(anchor, x.invert(at)), Math.max(anchor, x.invert(at)));
  }

  // A plain vertical wheel stays with the page; Ctrl (a pinch on a touch pad) zooms, sideways pans.
  onWheel(event) {
    if (event.ctrlKey || event.metaKey) this.zoom(1.002 ** event.deltaY, this.frame.x.invert(positionIn(this.svg, event)));
    else if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) this.pan(event.deltaX / this.width);
    else return;
    event.preventDefault();
  }

  onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const arrow = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const actions = { "+": () => this.zoom(0.5), "=": () => this.zoom(0.5), "-": () => this.zoom(2), 0: () => this.showAll() };
    if (this.alerts.length) actions.n = () => this.showNextAlert();
    const action = arrow ? () => event.shiftKey ? this.stepValues(arrow) : this.pan(arrow / 5) : actions[event.key.toLowerCase()];
    if (!action) return;
    action();
    event.preventDefault();
  }
}

// Tells the width before the first painting and whenever it changes.
function onWidth(element, action) {
  new ResizeObserver(([entry]) => action(Math.round(entry.contentRect.width))).observe(element);
}

// A position in the units of the drawing, whatever size the page shows it in.
function positionIn(drawing, event) {
  const { left, width } = drawing.getBoundingClientRect();
  return (event.clientX - left) * drawing.viewBox.baseVal.width / width;
}

// `start` is given where a drag begins and returns what follows the pointer, once it has moved a little.
function onDrag(drawing, start) {
  drawing.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    const begun = positionIn(drawing, event), follow = start(begun);
    const move = (next) => Math.abs(positionIn(drawing, next) - begun) > 2 && follow(positionIn(drawing, next));
    const stop = new AbortController();
    drawing.setPointerCapture(event.pointerId);
    drawing.addEventListener("pointermove", move, { signal: stop.signal });
    for (const end of ["pointerup", "pointercancel"]) drawing.addEventListener(end, () => stop.abort(), { signal: stop.signal });
  });
}
