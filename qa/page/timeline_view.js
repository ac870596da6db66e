/** The timeline about some words. */

import { failure } from "./answer.js";
import { json } from "./api.js";
import { remember, sources } from "./citations.js";
import { announce, byId, el, fill, form, values } from "./dom.js";
import { eventViews } from "./events.js";
import { counted } from "./text.js";

let shown = ""; // the query of the timeline that is shown, with its dates
let asked = 0;

export function startTimeline() {
  const fields = form("timeline-form");
  fields.addEventListener("submit", (event) => {
    event.preventDefault();
    const query = new URLSearchParams(values(fields)).toString();
    if (query === shown) shown = ""; // asked for once more
    if (location.hash === `#/timeline?${query}`) void showTimeline(new URLSearchParams(query));
    else location.hash = `#/timeline?${query}`;
  });
}

/** @param {URLSearchParams} params */
export async function showTimeline(params) {
  const fields = form("timeline-form");
  for (const name of ["query", "since", "until"]) {
    /** @type {HTMLInputElement} */ (fields.elements.namedItem(name)).value = params.get(name) ?? "";
  }
  const wanted = values(fields);
  const query = new URLSearchParams(wanted).toString();
  if (query === shown) return;
  shown = query;
  asked += 1;
  const mine = asked;
  const place = byId("timeline-result");
  if (!wanted.query) {
    fill(place);
    return;
  }
  fill(place, el("p", { class: "stage" }, "Looking for events"));
  try {
    const found = /** @type {import("./records.js").Timeline} */ (await json("api/timeline", { body: wanted }));
    if (mine !== asked) return;
    fill(place, ...result(found));
    announce(`${counted(found.events.length, "event")} found.`);
  } catch (error) {
    shown = "";
    if (mine === asked) fill(place, failure(error, () => void showTimeline(params)));
  }
}

/** @param {import("./records.js").Timeline} found */
function result({ events, citations }) {
  if (!events.length) {
    return [
      el("p", { class: "verdict long" }, "No dated events found."),
      el("p", { class: "hint" }, "Try other names or words, or a longer time."),
    ];
  }
  remember(citations);
  return [
    eventViews(events, citations, "timeline"),
    el("section", { class: "cited" }, el("h2", { class: "label" }, "Sources"), sources(citations)),
  ];
}
