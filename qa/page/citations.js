/** Numbers that lead to the cited words, and lists of the sources. */

import { el, icon } from "./dom.js";
import { base, sourceAddress } from "./route.js";
import { day, oneLine, pieces, ranges } from "./text.js";

/** @typedef {import("./records.js").Citation} Citation */

/**
 * What was cited on this page, by the address of the place: the words as they were cited, for when
 * the document has changed, and the neighbours to step to.
 *
 * @type {Map<string, { citation: Citation, among: Citation[] }>}
 */
const shown = new Map();

/** @param {string} id @param {number | null} start @param {number | null} end */
const place = (id, start, end) => `${id} ${start} ${end}`;

/**
 * What was cited at a place, if that was on this page.
 *
 * @param {import("./route.js").SourceRoute} route
 */
export const citedAt = (route) => shown.get(place(route.id, route.start, route.end));

/** @param {Citation[]} citations of one answer */
export function remember(citations) {
  for (const citation of citations) {
    const { document_id: id, start, end } = citation;
    shown.set(place(id, start, end), { citation, among: citations });
  }
}

/** The address of the cited words, beside what is shown. @param {Citation} citation */
export const addressOf = (citation) => sourceAddress(citation.document_id, citation, base());

/**
 * A number that leads to the cited words.
 *
 * @param {Citation} citation
 */
export function chip(citation) {
  const about = `${oneLine(citation.title)}${citation.published ? `, ${day(citation.published)}` : ""}`;
  return el(
    "a",
    {
      class: "cite",
      href: addressOf(citation),
      title: about,
      "aria-label": `Source ${citation.number}: ${about}`,
      "data-place": place(citation.document_id, citation.start, citation.end),
    },
    citation.number,
  );
}

/**
 * The sentence or sentences around the cited words, these marked.
 *
 * @param {Citation} citation
 */
export function sentence(citation) {
  const { passage, start, end } = citation;
  const [first, last] = citation.sentences ?? [0, passage.end - passage.start];
  const cuts = [first, start - passage.start, end - passage.start, last];
  const [, before, cited, after] = pieces(passage.text, cuts);
  return [before.trimStart(), el("mark", {}, cited), after.trimEnd()];
}

/** The text of `sentence`. @param {Citation} citation */
export const sentenceText = (citation) =>
  sentence(citation)
    .map((part) => (typeof part === "string" ? part : part.textContent))
    .join("");

/**
 * The documents that are cited, each with its numbers.
 *
 * @param {Citation[]} citations
 */
export function sources(citations) {
  /** @type {Map<string, Citation[]>} */
  const documents = new Map();
  for (const citation of citations) {
    const known = documents.get(citation.document_id);
    if (known) known.push(citation);
    else documents.set(citation.document_id, [citation]);
  }
  return el(
    "ol",
    { class: "sources", "aria-label": "Sources" },
    ...[...documents.values()].map((group) => sourceLine(group)),
  );
}

/** @param {Citation[]} group citations of one document */
function sourceLine(group) {
  const [first] = group;
  const page = group.length === 1 && first.page ? `, page ${first.page}` : "";
  return el(
    "li",
    {},
    el("span", { class: "source-numbers" }, ranges(group.map((citation) => citation.number))),
    el(
      "a",
      { class: "source-link", href: addressOf(first) },
      el("span", { class: "source-title", dir: "auto" }, oneLine(first.title)),
    ),
    el(
      "span",
      { class: "source-about" },
      first.published && el("time", { datetime: first.published }, day(first.published)),
      el("bdi", { class: "path" }, `${first.source}${page}`),
    ),
  );
}

/** Shows which number is open beside, if one is. @param {import("./route.js").SourceRoute | null} source */
export function markOpen(source) {
  const open = source && place(source.id, source.start, source.end);
  for (const cite of document.querySelectorAll("a.cite")) {
    if (cite.getAttribute("data-place") === open) cite.setAttribute("aria-current", "true");
    else cite.removeAttribute("aria-current");
  }
}

/** The address of a document elsewhere, if it is one that a browser may safely open. @param {unknown} url */
export function elsewhere(url) {
  if (typeof url !== "string" || !/^https?:\/\//i.test(url)) return null;
  return el(
    "a",
    { class: "quiet-button", href: url, target: "_blank", rel: "noopener noreferrer" },
    icon("open"),
    "Original",
  );
}
