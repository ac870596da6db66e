/** An answer as it is shown: the words first, how sure they are, then where they stand. */

import { chip, remember, sentence, sentenceText, sources } from "./citations.js";
import { announce, button, el } from "./dom.js";
import { eventViews } from "./events.js";
import { counted, day, days, likelihood, oneLine, percent } from "./text.js";

/** @typedef {import("./records.js").Answer} Answer */
/** @typedef {import("./records.js").Citation} Citation */
/** @typedef {import("./records.js").Span} Span */

const LONG = 110; // characters; a whole sentence is not set as large as a name
const AT_ONCE = 6; // answers of a list that are shown with their sentences

/**
 * @param {Answer} answer
 * @param {(choice: string) => void} ask asks one of the choices, where something is asked back
 * @returns {HTMLElement[]}
 */
export function renderAnswer(answer, ask) {
  remember(answer.citations);
  remember(answer.nearest);
  if (answer.clarification) return [askedBack(answer.clarification, ask)];
  if (answer.abstained) return abstention(answer);
  if (answer.events.length) {
    return [eventViews(answer.events, answer.citations), sourcesOf(answer)];
  }
  return [answersOf(answer), sourcesOf(answer)];
}

/** What a screen reader is told. @param {Answer} answer */
export function spoken(answer) {
  if (answer.clarification) return answer.clarification.question;
  if (answer.abstained) return "The documents do not say.";
  if (answer.events.length) return `${counted(answer.events.length, "event")} found.`;
  const [first] = answer.answers;
  return `${first.text}: ${likelihood(first.confidence)}, ${percent(first.confidence)}.`;
}

/** @param {Answer} answer */
function sourcesOf(answer) {
  return el(
    "section",
    { class: "cited" },
    el("h3", { class: "label" }, "Sources"),
    sources(answer.citations),
  );
}

/** @param {Answer} answer */
function answersOf(answer) {
  const cited = new Map(answer.citations.map((citation) => [citation.number, citation]));
  const [first, ...others] = answer.answers;
  const told = new Set();
  const rows = [first, ...others].map((span, i) => {
    const bearing = span.citations.flatMap((number) => cited.get(number) ?? []);
    const quote = bearing.length ? quoted(span, bearing[0], told) : null;
    return i ? other(span, bearing, quote) : leading(span, bearing, quote);
  });
  const rest = rows.slice(1);
  const list = rest.length ? el("ol", { class: "others", start: "2" }, ...rest.slice(0, AT_ONCE)) : null;
  const more = rest.length > AT_ONCE ? moreOf(/** @type {HTMLElement} */ (list), rest.slice(AT_ONCE)) : null;
  const label = rest.length
    ? el("h3", { class: "label" }, answer.answers.length > 3 ? "And also" : "Also found")
    : null;
  return el("div", { class: "answers" }, rows[0], label, list, more);
}

/** @param {HTMLElement} list @param {HTMLElement[]} rest */
function moreOf(list, rest) {
  const show = button(`Show ${rest.length} more`, () => {
    list.append(...rest);
    show.remove();
    rest[0].querySelector("a")?.focus();
  });
  return show;
}

/** @param {Span} span @param {Citation[]} bearing @param {HTMLElement | null} quote */
function leading(span, bearing, quote) {
  const size = span.text.length > LONG ? "verdict long" : "verdict";
  return el(
    "div",
    { class: "leading" },
    el("p", { class: size }, el("span", { class: "words", dir: "auto" }, span.text), chips(bearing)),
    el("p", { class: "meta" }, sureness(span), meant(span)),
    quote,
  );
}

/** @param {Span} span @param {Citation[]} bearing @param {HTMLElement | null} quote */
function other(span, bearing, quote) {
  return el(
    "li",
    {},
    el(
      "p",
      { class: "also" },
      el("span", { class: "words", dir: "auto" }, span.text),
      chips(bearing),
      el("span", { class: "meta" }, sureness(span), meant(span)),
    ),
    quote,
  );
}

/** @param {Citation[]} bearing */
const chips = (bearing) => el("span", { class: "cites" }, ...bearing.map(chip));

/** How sure, in words, as a number and as a bar. @param {Span} span */
function sureness({ confidence }) {
  const bar = el("span", { class: "bar", "aria-hidden": "true" }, el("span", {}));
  const filled = /** @type {HTMLElement} */ (bar.firstChild);
  filled.style.width = `${Math.round(confidence * 100)}%`;
  return el("span", { class: "sure" }, bar, `${likelihood(confidence)}, ${percent(confidence)}`);
}

/** The slot that it answers, the name or the days that it stands for. @param {Span} span */
function meant(span) {
  const name = span.name && oneLine(span.name) !== oneLine(span.text) ? oneLine(span.name) : "";
  const when = days(span.value);
  const said = [name, when === oneLine(span.text) ? "" : when].filter(Boolean).join(", ");
  return said ? el("span", { class: "meant" }, said) : null;
}

/**
 * The sentence around an answer, unless it was told already or is the answer itself.
 *
 * @param {Span} span
 * @param {Citation} citation
 * @param {Set<string>} told
 */
function quoted(span, citation, told) {
  const text = sentenceText(citation);
  if (told.has(text) || oneLine(text) === oneLine(span.text)) return null;
  told.add(text);
  return el("blockquote", { class: "quote", dir: "auto" }, ...sentence(citation));
}

/** @param {Answer} answer */
function abstention(answer) {
  const head = el(
    "div",
    { class: "abstained" },
    el("p", { class: "verdict" }, "The documents do not say."),
    el(
      "p",
      { class: "meta" },
      answer.nearest.length
        ? "No passage answers this surely enough. These come nearest, without being an answer."
        : "There is no passage to answer from. Look at the filters, or add documents.",
    ),
  );
  if (!answer.nearest.length) return [head];
  const items = answer.nearest.map((citation) =>
    el(
      "li",
      {},
      el(
        "p",
        { class: "near-source" },
        chip(citation),
        el("span", { class: "source-title", dir: "auto" }, oneLine(citation.title)),
        citation.published && el("time", { datetime: citation.published }, day(citation.published)),
      ),
      el("blockquote", { class: "quote plain", dir: "auto" }, ...sentence(citation)),
    ),
  );
  return [
    head,
    el(
      "section",
      { class: "cited" },
      el("h3", { class: "label" }, "Nearest passages"),
      el("ol", { class: "nearest" }, ...items),
    ),
  ];
}

/**
 * @param {import("./records.js").Clarification} clarification
 * @param {(choice: string) => void} ask
 */
function askedBack(clarification, ask) {
  return el(
    "div",
    { class: "asked-back", role: "group", "aria-label": clarification.question },
    el("p", { class: "verdict long" }, clarification.question),
    el(
      "div",
      { class: "choices" },
      ...clarification.choices.map((choice) => button(choice, () => ask(choice), { class: "choice" })),
    ),
  );
}

/**
 * What went wrong with a question, and a button to ask it again.
 *
 * @param {unknown} error
 * @param {() => void} again
 */
export function failure(error, again) {
  const problem = error instanceof Error ? error.message : String(error);
  const next = error && typeof error === "object" && "nextStep" in error ? error.nextStep : "";
  return el(
    "div",
    { class: "failure", role: "alert" },
    el("p", { class: "problem" }, problem),
    next ? el("p", {}, String(next)) : null,
    button("Try again", again, { icon: "retry", class: "quiet-button bordered" }),
  );
}

/** What can be done with an answer, and how long it took. @param {Answer} answer */
export function answerActions(answer) {
  const took = answer.timings_ms.total;
  const time = took === undefined ? null : el("span", { class: "took" }, `${(took / 1000).toFixed(took < 995 ? 2 : 1)} s`);
  const canCopy = answer.answers.length > 0 && navigator.clipboard !== undefined; // only over HTTPS
  const copy = button("Copy with sources", () => copied(copy, asText(answer)), { icon: "copy" });
  return el("div", { class: "answer-actions" }, canCopy && copy, time);
}

/**
 * Puts a text into the clipboard and says so on the button.
 *
 * @param {HTMLElement} control
 * @param {string} text
 */
export async function copied(control, text) {
  await navigator.clipboard.writeText(text);
  const words = control.lastChild;
  const said = document.createTextNode("Copied");
  words?.replaceWith(said);
  announce("Copied");
  setTimeout(() => words && said.replaceWith(words), 2000);
}

/** The answer with its sources, to paste somewhere. @param {Answer} answer */
function asText(answer) {
  const lines = answer.answers.map(
    (span) => `${span.text} ${span.citations.map((number) => `[${number}]`).join("")} (${likelihood(span.confidence)})`,
  );
  const cited = answer.citations.map((citation) =>
    [`[${citation.number}] ${oneLine(citation.title)}`, citation.published, citation.source]
      .filter(Boolean)
      .join(", "),
  );
  return [answer.question, "", ...lines, "", ...cited].join("\n");
}
