/** A document's text with the cited words marked in it. */

import { el } from "./dom.js";
import { utf16 } from "./text.js";

/** @typedef {import("./route.js").SourceRoute} SourceRoute */
/** @typedef {import("./records.js").DocumentRecord} DocumentRecord */

/**
 * The text, the passage marked softly and the span strongly, a line where a page begins. The text
 * of the element is that of the document, the text of its `mark` exactly the span.
 *
 * @param {DocumentRecord} found
 * @param {SourceRoute} route
 */
export function markedText(found, route) {
  const pages = found.pages ?? [];
  const begins = utf16(found.text, pages);
  const { passage, span } = marked(found.text, route);
  const body = el("div", { class: "source-text", dir: "auto", lang: found.language });
  const soft = el("span", { class: "passage" });
  const strong = el("mark", { tabindex: "-1" });
  const cuts = [...new Set([0, ...begins, ...passage, ...span])].sort((a, b) => a - b);
  cuts.forEach((cut, i) => {
    const isNear = cut >= passage[0] && cut < passage[1];
    const isMarked = cut >= span[0] && cut < span[1];
    if (isNear && !soft.parentNode) body.append(soft);
    if (isMarked && !strong.parentNode) soft.append(strong);
    const into = isMarked ? strong : isNear ? soft : body;
    const page = begins.lastIndexOf(cut) + 1;
    if (page > 1) into.append(el("span", { class: "page-break", "data-page": `Page ${page}` }));
    into.append(found.text.slice(cut, cuts[i + 1]));
  });
  return body;
}

/**
 * Where the passage and the span are, in UTF-16 units; both empty if no span is asked for. Without
 * a passage in the address it is the paragraph.
 *
 * @param {string} text
 * @param {SourceRoute} route
 * @returns {{ passage: [number, number], span: [number, number] }}
 */
function marked(text, { start, end, passage }) {
  if (start === null || end === null || start >= end) return { passage: [0, 0], span: [0, 0] };
  const [first, last, from, to] = utf16(text, [start, end, ...(passage ?? [start, end])]);
  if (passage) return { passage: [Math.min(first, from), Math.max(last, to)], span: [first, last] };
  const before = text.lastIndexOf("\n\n", first);
  const after = text.indexOf("\n\n", last);
  return {
    passage: [before < 0 ? 0 : Math.min(before + 2, first), after < 0 ? text.length : after],
    span: [first, last],
  };
}

/**
 * The page, from 1, on which an offset is; null where there are none.
 *
 * @param {number[]} pages the offsets at which they begin
 * @param {number | null} offset
 */
export function pageOf(pages, offset) {
  return offset === null ? null : pages.filter((start) => start <= offset).length || null;
}
