/** The documents: found by words, source and date, opened, removed. */

import { failure } from "./answer.js";
import { json, request } from "./api.js";
import { confirmed } from "./dialogs.js";
import { announce, button, byId, el, fill, form, values } from "./dom.js";
import { sourceAddress } from "./route.js";
import { counted, day, oneLine } from "./text.js";

/** @typedef {import("./records.js").DocumentInfo} DocumentInfo */
/** @typedef {import("./records.js").DocumentsReply} DocumentsReply */

const AT_ONCE = 50;
const PAUSE = 200; // ms without typing before the list changes

let asked = 0; // grows with every list that is asked for
let typing = 0; // a timer

export function startDocuments() {
  const filters = form("documents-form");
  filters.addEventListener("submit", (event) => event.preventDefault());
  filters.addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(() => void refreshDocuments(), PAUSE);
  });
  byId("documents-filters").addEventListener("click", () => {
    const isOpen = byId("documents-more").classList.toggle("open");
    byId("documents-filters").setAttribute("aria-expanded", String(isOpen));
  });
  filters.addEventListener("reset", () => setTimeout(() => void refreshDocuments()));
}

/** Shows the first documents that the filters let through. */
export async function refreshDocuments() {
  asked += 1;
  const mine = asked;
  const list = el("ul", { class: "documents", "data-arrows": true, "aria-label": "Documents" });
  try {
    const reply = await found(0);
    if (mine !== asked) return;
    const filtered = Object.keys(values(form("documents-form"))).length > 0;
    byId("documents-total").textContent = said(reply.total, filtered);
    if (!filtered) tellCount(reply.total);
    list.append(...reply.documents.map(row));
    fill(byId("documents-list"), list, more(list, reply.total));
  } catch (error) {
    if (mine !== asked) return;
    byId("documents-total").textContent = "";
    fill(byId("documents-list"), failure(error, () => void refreshDocuments()));
  }
}

/** @param {number} total @param {boolean} filtered */
function said(total, filtered) {
  if (total) return counted(total, "document");
  return filtered ? "No document is like that. Clear the filters to see all." : "There are no documents yet.";
}

/** @param {number} offset @returns {Promise<DocumentsReply>} */
function found(offset) {
  const chosen = { ...values(form("documents-form")), limit: String(AT_ONCE), offset: String(offset) };
  return json(`api/documents?${new URLSearchParams(chosen)}`);
}

/** @param {HTMLElement} list @param {number} total */
function more(list, total) {
  if (list.childElementCount >= total) return null;
  const show = button("Show more", async () => {
    const mine = asked;
    const shown = list.childElementCount;
    const reply = await found(shown);
    if (mine !== asked) return;
    list.append(...reply.documents.map(row));
    const first = list.children[shown]?.querySelector("a");
    if (list.childElementCount >= reply.total || !first) show.remove();
    first?.focus();
  });
  return show;
}

/** @param {DocumentInfo} info @returns {HTMLElement} */
function row(info) {
  const title = oneLine(info.title) || info.source;
  /** @type {HTMLElement} */
  const item = el(
    "li",
    {},
    el(
      "a",
      { class: "document", href: sourceAddress(info.id, null, "/documents") },
      el("span", { class: "source-title", dir: "auto" }, title),
    ),
    el(
      "p",
      { class: "source-about" },
      info.published ? el("time", { datetime: info.published }, day(info.published, { short: true })) : "undated",
      info.place && el("span", { dir: "auto" }, info.place),
      info.language && el("span", { title: "Language" }, info.language),
      el("bdi", { class: "path" }, info.source),
    ),
    button(`Remove “${title}”`, () => remove(info, title, item), { icon: "trash", bare: true }),
  );
  return item;
}

/** @param {DocumentInfo} info @param {string} title @param {HTMLElement} item */
async function remove(info, title, item) {
  const text = `“${title}” (${info.source}) will be taken out of the index and answers no more questions.`;
  if (!(await confirmed("Remove this document?", text, "Remove"))) return;
  const neighbour = item.nextElementSibling ?? item.previousElementSibling;
  try {
    await request(`api/documents/${encodeURIComponent(info.id)}`, { method: "DELETE" });
  } catch (error) {
    item.append(failure(error, () => void remove(info, title, item)));
    return;
  }
  announce(`Removed ${title}`);
  item.remove();
  const { total } = await found(0);
  byId("documents-total").textContent = said(total, Object.keys(values(form("documents-form"))).length > 0);
  void countDocuments();
  /** @type {HTMLElement | null | undefined} */ (neighbour?.querySelector("a"))?.focus();
}

/** Says in the side bar how many there are. */
export async function countDocuments() {
  try {
    tellCount(/** @type {DocumentsReply} */ (await json("api/documents?limit=1")).total);
  } catch {
    tellCount(0); // the view itself will say what is wrong
  }
}

/** @param {number} total */
function tellCount(total) {
  byId("document-count").textContent = total ? total.toLocaleString("en-GB") : "";
}
