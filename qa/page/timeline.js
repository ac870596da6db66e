/** Events along an axis that is true to scale; their labels are moved apart, with lines to them. */

import { el, svg } from "./dom.js";
import { joined, mention, sign, status, when } from "./mentions.js";
import { days, oneLine } from "./text.js";
import { lanes, moment, placed, ticks } from "./timescale.js";

/** @typedef {import("./records.js").DatelineEvent} DatelineEvent */
/**
 * @typedef {{ event: DatelineEvent, start: number, end: number, card: HTMLElement,
 *   drawn: SVGElement | null }} Dated
 */

const DAY = 86_400_000; // ms
const GAP = 10; // px between labels
const AIR = 1.15; // times as tall as the labels: room for gaps in time
const ANCHOR = 18; // px from a label's top to where its line ends: the middle of its first line
const LANE = 13; // px
const SIGN = 7; // px, half of a sign and some air
const MOST_LANES = 5;
const TICK = 46; // px between ticks at least
const NARROW = 480; // px; less room is left beside the axis then

/**
 * @param {DatelineEvent[]} events
 * @param {import("./mentions.js").Cited} cited
 */
export function timeline(events, cited) {
  const dated = events.flatMap((event) => datedOf(event, cited)).sort((a, b) => a.start - b.start || a.end - b.end);
  const undated = events.filter((event) => !days(event.when?.value));
  const drawing = svg("svg", { class: "axis", "aria-hidden": "true" });
  const cards = el("ol", { class: "cards", "aria-label": "Events in the order of time" }, ...dated.map((one) => one.card));
  const area = el("div", { class: "timeline-area" }, drawing, cards);
  if (dated.length) new ResizeObserver(() => draw(area, drawing, dated)).observe(cards);
  const rest = undated.map((event) => el("li", {}, ...cardOf(event, cited)));
  return el(
    "div",
    { class: "timeline" },
    dated.length ? area : null,
    rest.length ? el("h3", { class: "label" }, "Without a date") : null,
    rest.length ? el("ul", { class: "undated" }, ...rest) : null,
  );
}

/**
 * @param {DatelineEvent} event
 * @param {import("./mentions.js").Cited} cited
 * @returns {Dated[]} none if it has no date
 */
function datedOf(event, cited) {
  if (!days(event.when?.value)) return [];
  const { start, end } = /** @type {{ start: string, end: string }} */ (event.when?.value);
  const [first, last] = [moment(start), moment(end)];
  /** @param {boolean} on */
  const light = (on) => () => one.drawn?.classList.toggle("lit", on);
  const on = { mouseenter: light(true), mouseleave: light(false), focusin: light(true), focusout: light(false) };
  const card = el("li", { class: "card", ...on }, ...cardOf(event, cited));
  /** @type {Dated} */
  const one = { event, start: first, end: last + DAY, card, drawn: null };
  return [one];
}

/** @param {DatelineEvent} event @param {import("./mentions.js").Cited} cited */
function cardOf(event, cited) {
  return [
    el("p", { class: "card-head" }, el("span", {}, ...(event.when ? when(event.when, cited) : [])), status(event.status)),
    el(
      "p",
      { class: "card-text" },
      ...joined(event.who, cited),
      event.who.length ? " – " : null,
      el("span", { class: "what" }, oneLine(event.what)),
      event.where ? " – " : null,
      ...(event.where ? mention(event.where, cited) : []),
    ),
  ];
}

/**
 * @param {HTMLElement} area
 * @param {SVGElement} drawing
 * @param {Dated[]} dated in the order of time
 */
function draw(area, drawing, dated) {
  const heights = dated.map(({ card }) => card.offsetHeight + GAP);
  const labels = heights.reduce((sum, height) => sum + height, 0);
  if (!labels || !area.offsetWidth) return; // not visible
  const first = Math.min(...dated.map((one) => one.start));
  const last = Math.max(...dated.map((one) => one.end));
  const margin = Math.max((last - first) * 0.03, DAY);
  const [from, to] = [first - margin, last + margin];
  const room = Math.max(labels * AIR, 160);
  /** @param {number} at */
  const y = (at) => ((at - from) / (to - from)) * room;

  const tops = placed(dated.map((one) => y(one.start) - ANCHOR), heights);
  const height = Math.max(room, (tops.at(-1) ?? 0) + (heights.at(-1) ?? 0));
  /** @type {[number, number][]} */
  const extents = dated.map((one) => [y(one.start) - SIGN, Math.max(y(one.end - DAY), y(one.start)) + SIGN]);
  const lane = lanes(extents).map((number) => Math.min(number, MOST_LANES - 1));
  const isNarrow = area.offsetWidth < NARROW;
  const ticksEnd = isNarrow ? 64 : 74;
  const axis = ticksEnd + Math.max(...lane) * LANE + SIGN + 4;
  const labelsAt = axis + (isNarrow ? 24 : 40);

  area.style.height = `${height}px`;
  area.style.setProperty("--labels-at", `${labelsAt}px`);
  drawing.setAttribute("viewBox", `0 0 ${labelsAt} ${height}`);
  drawing.setAttribute("width", String(labelsAt));
  drawing.setAttribute("height", String(height));
  const marks = dated.map((one, i) => {
    one.card.style.top = `${tops[i]}px`;
    const x = axis - lane[i] * LANE;
    return mark(one, x, y(one.start), y(one.end - DAY), labelsAt - 6, tops[i] + ANCHOR);
  });
  const scale = ticks(from, to, Math.max(2, Math.floor(room / TICK))).map(({ at, label }) => {
    const word = svg("text", { x: ticksEnd - 12, y: y(at), class: "tick-label" });
    word.textContent = label;
    return svg("g", {}, svg("path", { d: `M${ticksEnd - 8} ${y(at)}H${axis + 6}`, class: "tick" }), word);
  });
  const line = svg("path", { d: `M${axis} 0V${room}`, class: "axis-line" });
  drawing.replaceChildren(...scale, line, ...marks);
}

/**
 * The sign of an event at its day, a bar over its days, and the line to its label.
 *
 * @param {Dated} one
 * @param {number} x
 * @param {number} start
 * @param {number} end
 * @param {number} labelX
 * @param {number} labelY
 */
function mark(one, x, start, end, labelX, labelY) {
  const bar = svg("path", { d: `M${x} ${start}V${end}`, class: `extent ${one.event.status}` });
  const leader = svg("path", {
    d: `M${x + SIGN} ${start}C${labelX - 16} ${start} ${labelX - 22} ${labelY} ${labelX} ${labelY}`,
    class: "leader",
  });
  const at = svg("g", { transform: `translate(${x} ${start})` }, svg("circle", { r: 6.5, class: "under" }), ...sign(one.event.status));
  const group = svg("g", { class: "event-mark" }, leader, end - start > 2 * SIGN ? bar : svg("g", {}), at);
  one.drawn = group;
  return group;
}
