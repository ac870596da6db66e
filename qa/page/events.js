/** Events as a table and as a timeline, one of the two at a time. */

import { button, el } from "./dom.js";
import { joined, mention, missing, status, when } from "./mentions.js";
import { counted, days, oneLine } from "./text.js";
import { timeline } from "./timeline.js";

/** @typedef {import("./records.js").DatelineEvent} DatelineEvent */
/** @typedef {import("./mentions.js").Cited} Cited */

const VIEW = "dateline.events";

/**
 * @param {DatelineEvent[]} events
 * @param {import("./records.js").Citation[]} citations
 * @param {"table" | "timeline"} [preferred]
 */
export function eventViews(events, citations, preferred = "table") {
  const cited = new Map(citations.map((citation) => [citation.number, citation]));
  const place = el("div", { class: "events-place" });
  const choices = /** @type {const} */ (["table", "timeline"]).map((name) =>
    button(name === "table" ? "Table" : "Timeline", () => choose(name, true), { class: "segment" }),
  );
  /** @param {"table" | "timeline"} name @param {boolean} keep */
  function choose(name, keep) {
    choices.forEach((choice, i) => choice.setAttribute("aria-pressed", String((i === 0) === (name === "table"))));
    place.replaceChildren(name === "table" ? table(events, cited) : timeline(events, cited));
    if (keep) localStorage.setItem(VIEW, name);
  }
  const kept = localStorage.getItem(VIEW);
  choose(kept === "table" || kept === "timeline" ? kept : preferred, false);
  const dated = events.some((event) => days(event.when?.value));
  return el(
    "div",
    { class: "events" },
    el(
      "div",
      { class: "events-head" },
      el("div", { class: "segments", role: "group", "aria-label": "Show as", hidden: !dated }, ...choices),
      el("p", { class: "total" }, counted(events.length, "event")),
    ),
    place,
  );
}

/** @param {DatelineEvent[]} events @param {Cited} cited */
function table(events, cited) {
  const names = ["When", "Status", "Who", "What", "Where"];
  const rows = events.map((event) => {
    const cells = [
      when(event.when, cited),
      [status(event.status)],
      event.who.length ? joined(event.who, cited) : [missing()],
      [oneLine(event.what)],
      event.where ? mention(event.where, cited) : [missing()],
    ];
    return el(
      "tr",
      { role: "row" },
      ...cells.map((cell, i) => el("td", { role: "cell", "data-label": names[i] }, el("div", {}, ...cell))),
    );
  });
  const heads = names.map((name) => el("th", { role: "columnheader", scope: "col" }, name));
  return el(
    "table",
    { class: "event-table", role: "table", "aria-label": "Events" }, // roles: on phones it is no table in CSS
    el("thead", { role: "rowgroup" }, el("tr", { role: "row" }, ...heads)),
    el("tbody", { role: "rowgroup" }, ...rows),
  );
}
