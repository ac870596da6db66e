/** The conversations in the side bar, and what can be done with one. */

import { Problem, json, request } from "./api.js";
import { confirmed } from "./dialogs.js";
import { announce, button, byId, el, fill } from "./dom.js";
import { parse, sessionAddress } from "./route.js";
import { counted, oneLine } from "./text.js";

/** @typedef {import("./records.js").SessionInfo} SessionInfo */

const AT_ONCE = 30;
const DAY = 86_400_000; // ms
let limit = AT_ONCE;

export async function refreshSessions() {
  const place = byId("sessions");
  try {
    const all = /** @type {SessionInfo[]} */ (await json("api/sessions"));
    const kept = all.filter((session) => session.turns > 0);
    fill(place, ...groups(kept.slice(0, limit)), more(kept.length));
  } catch (error) {
    const problem = error instanceof Problem ? error.message : String(error);
    fill(place, el("p", { class: "hint" }, problem));
  }
  markOpenView();
}

/** @param {number} total */
function more(total) {
  if (total <= limit) return null;
  return button(`Show ${total - limit} more`, () => {
    limit = Infinity;
    void refreshSessions();
  });
}

/** Marks in the side bar what is open. */
export function markOpenView() {
  const { session, view } = parse(location.hash);
  for (const link of document.querySelectorAll("a[data-view]")) {
    const isHere = link.getAttribute("data-view") === view && session === null;
    if (isHere) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  for (const link of byId("sessions").querySelectorAll("a")) {
    if (session !== null && link.getAttribute("href") === sessionAddress(session)) {
      link.setAttribute("aria-current", "page");
    } else {
      link.removeAttribute("aria-current");
    }
  }
}

/** @param {SessionInfo[]} sessions the one used last first */
function groups(sessions) {
  /** @type {Map<string, SessionInfo[]>} */
  const named = new Map();
  for (const session of sessions) {
    const name = age(session.used);
    named.set(name, [...(named.get(name) ?? []), session]);
  }
  return [...named].flatMap(([name, group], i) => [
    el("h2", { class: "label", id: `sessions-${i}` }, name),
    el("ul", { "aria-labelledby": `sessions-${i}` }, ...group.map(row)),
  ]);
}

/** @param {string} used ISO 8601 */
function age(used) {
  const midnight = new Date().setHours(0, 0, 0, 0);
  const at = new Date(used).getTime();
  if (at >= midnight) return "Today";
  if (at >= midnight - DAY) return "Yesterday";
  return at >= midnight - 6 * DAY ? "This week" : "Earlier";
}

/** @param {SessionInfo} session */
function row(session) {
  const title = oneLine(session.title) || "Untitled";
  return el(
    "li",
    {},
    el(
      "a",
      { href: sessionAddress(session.id), title: `${title} (${counted(session.turns, "question")})`, dir: "auto" },
      title,
    ),
    button(`Delete “${title}”`, () => remove(session.id, title), { icon: "trash", bare: true }),
  );
}

/** @param {string} id @param {string} title */
async function remove(id, title) {
  const text = `“${title}” will be gone, with its questions and answers. The documents stay.`;
  if (!(await confirmed("Delete this conversation?", text, "Delete"))) return;
  try {
    await request(`api/sessions/${encodeURIComponent(id)}`, { method: "DELETE" });
    announce("Deleted");
  } catch (error) {
    if (!(error instanceof Problem) || error.status !== 404) announce(String(error));
  }
  if (parse(location.hash).session === id) location.hash = "#/";
  await refreshSessions();
  byId("question").focus();
}

/**
 * Buttons for the conversation that is shown.
 *
 * @param {string} id
 * @param {string} title
 */
export function conversationActions(id, title) {
  return [
    button("Export", () => save(id, "markdown"), { icon: "download" }),
    button("Export JSON", () => save(id, "json"), { icon: "download" }),
    button("Delete", () => remove(id, oneLine(title)), { icon: "trash" }),
  ];
}

/** Saves a transcript as a file. @param {string} id @param {"markdown" | "json"} format */
async function save(id, format) {
  try {
    const reply = await request(`api/sessions/${encodeURIComponent(id)}/export?format=${format}`);
    const url = URL.createObjectURL(await reply.blob());
    el("a", { href: url, download: `dateline-${id}.${format === "json" ? "json" : "md"}` }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  } catch (error) {
    announce(error instanceof Error ? error.message : String(error));
  }
}
