/** The parts of an event: who, where, when and whether it happened. */

import { chip } from "./citations.js";
import { el, svg } from "./dom.js";
import { days, oneLine } from "./text.js";

/** @typedef {import("./records.js").Mention} Mention */
/** @typedef {Map<number, import("./records.js").Citation>} Cited citations by their numbers */

/** What stands where nothing is told. */
export const missing = () => el("span", { class: "missing", title: "not told" }, "–");

/**
 * The days, and the words that say them.
 *
 * @param {Mention | null} mentioned
 * @param {Cited} cited
 */
export function when(mentioned, cited) {
  if (!mentioned) return [missing()];
  const meant = days(mentioned.value);
  if (!meant) return mention(mentioned, cited);
  const words = oneLine(mentioned.text);
  const citation = cited.get(mentioned.citation);
  return [
    el("span", { class: "days" }, meant),
    words !== meant && el("span", { class: "said", dir: "auto" }, ` “${words}”`),
    citation && chip(citation),
  ];
}

/**
 * A part's words, its number, and the name that it stands for.
 *
 * @param {Mention} mentioned
 * @param {Cited} cited
 * @returns {import("./dom.js").Child[]}
 */
export function mention(mentioned, cited) {
  const words = oneLine(mentioned.text);
  const name = oneLine(mentioned.name ?? "");
  const citation = cited.get(mentioned.citation);
  return [
    el("span", { dir: "auto" }, words),
    name && name !== words && el("span", { class: "said", dir: "auto" }, ` (${name})`),
    citation && chip(citation),
  ];
}

/** @param {Mention[]} mentions @param {Cited} cited */
export function joined(mentions, cited) {
  return mentions.flatMap((one, i) => [i ? ", " : null, ...mention(one, cited)]);
}

/** Whether it happened, as a word and a sign. @param {import("./records.js").Status} said */
export function status(said) {
  const drawing = svg("svg", { class: "sign", viewBox: "-8 -8 16 16", "aria-hidden": "true" }, ...sign(said));
  return el("span", { class: `status ${said}` }, drawing, said);
}

/**
 * The sign of a status, around the origin: told apart by shape, not by colour.
 *
 * @param {import("./records.js").Status} said
 */
export function sign(said) {
  if (said === "happened") return [svg("circle", { r: 5.5, class: "full" })];
  if (said === "planned") return [svg("circle", { r: 5, class: "line" })];
  if (said === "possible") return [svg("circle", { r: 5, class: "line dashed" })];
  if (said === "denied") return [svg("circle", { r: 5, class: "line" }), svg("path", { d: "M-3.500 3.500L3.500 -3.500", class: "line" })];
  return [svg("path", { d: "M-4.500 -4.500L4.500 4.500M4.500 -4.500L-4.500 4.500", class: "line" })];
}
