/** A document beside what is shown, scrolled to the words that are cited. */

import { copied, failure } from "./answer.js";
import { Problem, json } from "./api.js";
import { addressOf, citedAt, elsewhere, markOpen } from "./citations.js";
import { filterBySource } from "./composer.js";
import { button, byId, el, fill } from "./dom.js";
import { markedText, pageOf } from "./marking.js";
import { base, parse, sourceAddress } from "./route.js";
import { day, oneLine, utf16 } from "./text.js";

/** @typedef {import("./route.js").SourceRoute} SourceRoute */
/** @typedef {import("./records.js").DocumentRecord} DocumentRecord */

let showing = 0; // grows with every source that is shown
/** Where the focus was before. @type {Element | null} */
let opener = null;
/** Addresses of this page in their order, as far as they lead to the one that is shown. */
let before = "";

const panel = () => byId("source");
export const isOpen = () => !panel().hidden;

/** @param {SourceRoute | null} route */
export async function showSource(route) {
  showing += 1;
  markOpen(route);
  if (!route) {
    hide();
    return;
  }
  const mine = showing;
  if (!isOpen()) opener = document.activeElement;
  panel().hidden = false;
  document.body.classList.add("with-source");
  fill(panel(), bar(route), head("…"), el("div", { class: "source-body", tabindex: "0", role: "group", "aria-label": "Text" }));
  byId("source-title").focus({ preventScroll: true });
  try {
    const found = /** @type {DocumentRecord} */ (await json(`api/documents/${encodeURIComponent(route.id)}`));
    if (mine === showing) showDocument(found, route);
  } catch (error) {
    if (mine === showing) showMissing(error, route);
  }
}

function hide() {
  if (!isOpen()) return;
  panel().hidden = true;
  fill(panel());
  document.body.classList.remove("with-source");
  if (opener instanceof HTMLElement && opener.isConnected) opener.focus({ preventScroll: true });
}

/** Remembers what was shown before the present address. @param {string} hash */
export function cameFrom(hash) {
  before = hash;
}

/** Closes the source; the browser's way back leads where it led before it was opened. */
export function closeSource() {
  if (!isOpen()) return;
  const under = `#${base()}`;
  if (before !== "" && before === under) history.back();
  else location.replace(under);
}

/** Opens the cited place before or after the one that is open. @param {number} step */
export function stepSource(step) {
  const { source } = parse(location.hash);
  const cited = source && citedAt(source);
  if (!cited) return;
  const next = cited.among[cited.among.indexOf(cited.citation) + step];
  if (next) location.replace(addressOf(next));
}

/** @param {SourceRoute} route */
function bar(route) {
  const cited = citedAt(route);
  const at = cited ? cited.among.indexOf(cited.citation) : 0;
  const steps =
    cited && cited.among.length > 1
      ? el(
          "div",
          { class: "steps" },
          button("Source before", () => stepSource(-1), { icon: "back", bare: true }),
          el("span", {}, `${at + 1} of ${cited.among.length}`),
          button("Next source", () => stepSource(1), { icon: "next", bare: true }),
        )
      : el("span", { class: "label" }, "Source");
  return el(
    "div",
    { class: "source-bar" },
    steps,
    el("div", { id: "source-actions", class: "actions" }),
    button("Close the source", closeSource, { icon: "close", bare: true }),
  );
}

/** @param {DocumentRecord} found @param {SourceRoute} route */
function showDocument(found, route) {
  const quote = citedAt(route)?.citation.quote;
  const body = markedText(found, route);
  const marked = body.querySelector("mark");
  const isChanged = quote !== undefined && marked?.textContent !== quote;
  fill(byId("source-actions"), ...actions(found, route));
  put(head(found.title, about(found, route)), isChanged ? changed(route) : null, body);
  if (!isChanged) marked?.scrollIntoView({ block: "center" });
}

/**
 * What stays in sight while the text is scrolled.
 *
 * @param {string} title
 * @param {HTMLElement} [more]
 */
function head(title, more) {
  const heading = el("h2", { id: "source-title", tabindex: "-1", dir: "auto", title }, oneLine(title));
  return el("div", { class: "source-head" }, heading, more);
}

/**
 * Shows a document, or why there is none, and moves the focus to its title.
 *
 * @param {HTMLElement} top
 * @param {...import("./dom.js").Child} content
 */
function put(top, ...content) {
  panel().querySelector(".source-head")?.replaceWith(top);
  fill(/** @type {Element} */ (panel().querySelector(".source-body")), ...content);
  byId("source-title").focus({ preventScroll: true });
}

/** @param {DocumentRecord} found @param {SourceRoute} route */
function actions(found, route) {
  const span = route.start !== null && route.end !== null ? { start: route.start, end: route.end } : null;
  const address = new URL(sourceAddress(found.id, span), location.href).href;
  const copy = button("Copy link", () => copied(copy, address), { icon: "link" });
  const only = button("Ask only this", () => {
    closeSource();
    filterBySource(found.source);
  }, { icon: "filter" });
  return [elsewhere(found.metadata.url), navigator.clipboard !== undefined && copy, only];
}

/** Date, place and where the file lies. @param {DocumentRecord} found @param {SourceRoute} route */
function about(found, route) {
  const page = pageOf(found.pages ?? [], route.start);
  const rows = [
    found.published && el("time", { datetime: found.published }, day(found.published)),
    found.place && el("span", { dir: "auto" }, found.place),
    page && el("span", {}, `page ${page} of ${found.pages?.length}`),
    el("bdi", { class: "path" }, found.source),
  ];
  return el("p", { class: "source-about" }, ...rows);
}

/** @param {SourceRoute} route */
function changed(route) {
  return el(
    "div",
    { class: "notice" },
    el("p", {}, "The document has changed since it was cited. This is what it said then:"),
    asCited(route),
  );
}

/** The passage as it was when it was cited. @param {SourceRoute} route */
function asCited(route) {
  const citation = citedAt(route)?.citation;
  if (!citation) return null;
  const { passage, start, end } = citation;
  const [from, to] = utf16(passage.text, [start - passage.start, end - passage.start]);
  return el(
    "blockquote",
    { class: "quote", dir: "auto" },
    passage.text.slice(0, from),
    el("mark", {}, passage.text.slice(from, to)),
    passage.text.slice(to),
  );
}

/** @param {unknown} error @param {SourceRoute} route */
function showMissing(error, route) {
  const isGone = error instanceof Problem && error.status === 404;
  const cited = citedAt(route)?.citation;
  put(
    head(cited?.title ?? "No such document"),
    isGone
      ? el("p", { class: "notice" }, "This document is not among the documents any more.")
      : failure(error, () => void showSource(route)),
    cited && el("p", {}, "This is what it said when it was cited:"),
    asCited(route),
  );
}
