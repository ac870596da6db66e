/** What a new conversation begins with. */

import { failure } from "./answer.js";
import { json } from "./api.js";
import { button, byId, el, fill } from "./dom.js";
import { counted } from "./text.js";
import { KINDS, chooseFiles } from "./upload.js";

// Of a kind that any collection of news can be asked; the answer says if the documents do not know.
const EXAMPLES = ["Who met where and when?", "What was agreed?", "Who resigned?"];

/**
 * @param {HTMLElement} place
 * @param {(question: string) => void} ask
 * @param {() => boolean} isWanted whether it is still to be shown when it is known what to show
 */
export async function welcome(place, ask, isWanted) {
  try {
    const { total } = /** @type {import("./records.js").DocumentsReply} */ (await json("api/documents?limit=1"));
    if (!isWanted()) return;
    fill(place, total ? invitation(total, ask) : firstUse());
    byId("chat").classList.toggle("empty", !total);
  } catch (error) {
    if (isWanted()) fill(place, failure(error, () => void welcome(place, ask, isWanted)));
  }
}

/** @param {number} total @param {(question: string) => void} ask */
function invitation(total, ask) {
  return el(
    "div",
    { class: "welcome" },
    el(
      "p",
      { class: "lede" },
      `Answers come word for word from ${counted(total, "document")}, with the place where each stands, or not at all.`,
    ),
    el(
      "div",
      { class: "choices" },
      ...EXAMPLES.map((question) => button(question, () => ask(question), { class: "choice" })),
    ),
  );
}

function firstUse() {
  return el(
    "div",
    { class: "welcome" },
    el("p", { class: "lede" }, "There are no documents yet. Add some, then ask: the answers come word for word from them."),
    el(
      "div",
      { class: "dropzone" },
      el("p", { class: "by-mouse" }, "Drop files or folders anywhere on this page"),
      el("p", { class: "hint" }, KINDS),
      button("Choose files", chooseFiles, { icon: "upload", class: "primary" }),
    ),
    el("p", { class: "hint" }, "Or, on the command line: ", el("code", {}, "dateline index articles/")),
  );
}
