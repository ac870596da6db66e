/** The field for questions, with its filters. */

import { byId, form, input, values } from "./dom.js";

const field = () => /** @type {HTMLTextAreaElement} */ (byId("question"));
const filters = () => /** @type {HTMLFieldSetElement} */ (byId("filters"));

/** @param {{ submit: (question: string) => void, stop: () => void }} on */
export function composing({ submit, stop }) {
  const question = field();
  const send = () => {
    const text = question.value.trim();
    if (!text || document.body.classList.contains("asking")) return;
    question.value = "";
    fit();
    submit(text);
  };
  form("ask").addEventListener("submit", (event) => {
    event.preventDefault();
    if (document.body.classList.contains("asking")) stop();
    else send();
  });
  question.addEventListener("keydown", (event) => {
    // Enter also ends the writing of a word in Japanese and others; that sends nothing.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    send();
  });
  question.addEventListener("input", fit);
  byId("filters-toggle").addEventListener("click", () => showFilters(filters().hidden));
  byId("clear-filters").addEventListener("click", () => {
    for (const one of filters().querySelectorAll("input")) one.value = "";
    tellFilters();
  });
  filters().addEventListener("input", tellFilters);
  new MutationObserver(tellSend).observe(document.body, { attributeFilter: ["class"] });
}

/** As tall as its text, up to the limit that the style sets. */
function fit() {
  const question = field();
  question.style.height = "auto";
  question.style.height = `${question.scrollHeight}px`;
}

function tellSend() {
  const send = byId("send");
  const label = document.body.classList.contains("asking") ? "Stop" : "Ask";
  if (send.textContent !== label) send.textContent = label;
}

/** @param {boolean} shown */
function showFilters(shown) {
  filters().hidden = !shown;
  byId("filters-toggle").setAttribute("aria-expanded", String(shown));
  if (shown) filters().querySelector("input")?.focus();
}

function tellFilters() {
  const count = Object.keys(values(filters())).length;
  const label = count ? `Filters: ${count}` : "Filters";
  byId("filters-toggle").lastChild?.replaceWith(label);
  byId("filters-toggle").classList.toggle("on", count > 0);
}

/** @returns {import("./records.js").Filters | undefined} */
export function chosenFilters() {
  const chosen = values(filters());
  return Object.keys(chosen).length ? chosen : undefined;
}

/** Answers from one document only, until the filters are cleared. @param {string} source */
export function filterBySource(source) {
  const glob = source.replace(/[[*?]/g, "[$&]");
  /** @type {HTMLInputElement} */ (filters().querySelector("[name=source]")).value = glob;
  filters().hidden = false;
  byId("filters-toggle").setAttribute("aria-expanded", "true");
  tellFilters();
  focusQuestion();
}

/** Whether the next question is to be taken as it stands; only that one. */
export function takenLiterally() {
  const box = input("literal");
  const isLiteral = box.checked;
  box.checked = false;
  return isLiteral;
}

/** @param {boolean} offered whether there is anything before to understand a question from */
export function setLiteralOffered(offered) {
  byId("literal-label").hidden = !offered;
  if (!offered) input("literal").checked = false;
}

export function focusQuestion() {
  field().focus();
}
