/** A conversation: its questions and answers, and the field to ask in. */

import { answerActions, failure, renderAnswer, spoken } from "./answer.js";
import { Problem, events, json } from "./api.js";
import { chosenFilters, composing, setLiteralOffered, takenLiterally } from "./composer.js";
import { announce, button, byId, el, fill } from "./dom.js";
import { rename, sessionAddress } from "./route.js";
import { conversationActions, refreshSessions } from "./sessions.js";
import { counted, oneLine } from "./text.js";
import { welcome } from "./welcome.js";

/** @typedef {import("./records.js").Answer} Answer */

/** The session that is shown; null for one that begins with its first question. @type {string | null} */
let session = null;
/** Grows with every conversation that is shown, so that what comes late for another is not. */
let showing = 0;
let isKept = true; // whether the service can keep conversations
/** @type {AbortController | null} */
let asking = null;

const turns = () => byId("turns");

export function startChat() {
  composing({ submit: (question) => void ask(question), stop: () => asking?.abort() });
  const chat = byId("chat");
  new IntersectionObserver(([top]) => chat.classList.toggle("scrolled", !top.isIntersecting), {
    root: chat,
  }).observe(byId("chat-top"));
}

/**
 * Shows a session, or a new conversation; nothing changes if it is shown already.
 *
 * @param {string | null} id
 */
export async function showChat(id) {
  if (showing && id === session) {
    if (!id && isEmpty()) await greet(); // there may be documents by now
    return;
  }
  session = id;
  showing += 1;
  const mine = showing;
  asking?.abort();
  fill(turns());
  describe(id ? "…" : "");
  if (!id) {
    await greet();
    return;
  }
  try {
    const record = /** @type {import("./records.js").SessionRecord} */ (
      await json(`api/sessions/${encodeURIComponent(id)}`)
    );
    if (mine !== showing) return;
    describe(record.turns[0]?.question ?? "A conversation without questions");
    for (const turn of record.turns) settle(newTurn(turn.question), turn.answer);
    turns().lastElementChild?.scrollIntoView({ block: "start" });
  } catch (error) {
    if (mine !== showing) return;
    describe("This conversation cannot be shown");
    fill(turns(), failure(error, () => { session = null; void showChat(id); }));
  }
}

function greet() {
  const mine = showing;
  return welcome(turns(), (question) => void ask(question), () => mine === showing && isEmpty());
}

const isEmpty = () => !turns().querySelector(".turn");

/** @param {string} title of the conversation; "" for a new one */
function describe(title) {
  byId("chat").classList.toggle("fresh", !title);
  byId("chat").classList.remove("empty");
  byId("chat-title").textContent = title ? oneLine(title) : "Ask your documents";
  document.title = title ? `${oneLine(title).slice(0, 80)} – Dateline` : "Dateline";
  fill(byId("chat-actions"), ...(session ? conversationActions(session, title) : []));
  setLiteralOffered(Boolean(title));
}

/**
 * @param {string} question
 * @param {{ literally?: boolean }} [options]
 */
async function ask(question, options = {}) {
  if (asking) return;
  if (isEmpty()) fill(turns());
  const mine = showing;
  const filters = chosenFilters();
  const resolve = !(options.literally ?? takenLiterally());
  const turn = newTurn(question, describeFilters(filters, resolve));
  if (isEmptyTitle()) describe(question);
  turn.article.scrollIntoView({ block: "start", behavior: "smooth" });
  asking = new AbortController();
  document.body.classList.add("asking");
  try {
    await begin(mine, question);
    const body = { question, session: session ?? undefined, resolve, filters };
    settle(turn, await answered(body, asking.signal, turn));
  } catch (error) {
    if (asking.signal.aborted) fill(turn.body, el("p", { class: "hint" }, "Stopped."));
    else fill(turn.body, failure(error, () => { turn.article.remove(); void ask(question, options); }));
    if (error instanceof Problem && error.status === 404) session = null;
  } finally {
    asking = null;
    document.body.classList.remove("asking");
  }
  void refreshSessions();
}

const isEmptyTitle = () => byId("chat").classList.contains("fresh");

/**
 * Makes the session with the first question; where none can be kept, every question stands alone.
 *
 * @param {number} mine
 * @param {string} question
 */
async function begin(mine, question) {
  if (session || !isKept) return;
  try {
    const { id } = /** @type {{ id: string }} */ (await json("api/sessions", { method: "POST" }));
    if (mine !== showing) return;
    session = id;
    rename(sessionAddress(id));
    describe(question);
  } catch (error) {
    if (!(error instanceof Problem) || error.status < 500 || error.status === 503) throw error;
    isKept = false;
    turns().prepend(
      el("p", { class: "notice" }, `This conversation is not kept, every question stands alone: ${error.message}`),
    );
  }
}

/**
 * @param {Record<string, unknown>} body
 * @param {AbortSignal} signal
 * @param {Shown} turn where to show how far it is
 * @returns {Promise<Answer>}
 */
async function answered(body, signal, turn) {
  for await (const { event, data } of events("api/ask/stream", { body, signal })) {
    if (event === "answer") return data;
    if (event === "error") throw new Problem(data.error.problem, data.error.next_step, 500);
    if (event === "understood") tellUnderstood(turn, data.resolved_question);
    if (event === "passages") {
      fill(turn.body, stage(`Reading ${counted(data.hits.length, "passage")}`), found(data.hits));
    }
  }
  throw new Problem("The connection broke off before there was an answer.", "Try again.");
}

/** @param {string} doing */
const stage = (doing) => el("p", { class: "stage" }, doing);

/** @param {import("./records.js").Hit[]} hits */
function found(hits) {
  const titles = [...new Set(hits.map((hit) => oneLine(hit.title)))].slice(0, 4);
  return el("ul", { class: "found" }, ...titles.map((title) => el("li", { dir: "auto" }, title)));
}

/**
 * @typedef {{ question: string, article: HTMLElement, understood: HTMLElement,
 *   body: HTMLElement }} Shown
 */

/**
 * A question, with room for its answer.
 *
 * @param {string} question
 * @param {string} [restrictions] in words
 * @returns {Shown}
 */
function newTurn(question, restrictions = "") {
  const id = `question-${turns().childElementCount + 1}-${showing}`;
  const understood = el("p", { class: "understood", hidden: true });
  const body = el("div", { class: "reply" }, stage("Searching"));
  const article = el(
    "article",
    { class: "turn", "aria-labelledby": id },
    el("h2", { class: "question", id, dir: "auto" }, question),
    restrictions && el("p", { class: "restrictions" }, restrictions),
    understood,
    body,
  );
  turns().append(article);
  return { question, article, understood, body };
}

/** Shows the answer to a question. @param {Shown} turn @param {Answer} answer */
function settle(turn, answer) {
  tellUnderstood(turn, answer.resolved_question);
  fill(turn.body, ...renderAnswer(answer, (choice) => void ask(choice)), answerActions(answer));
  if (asking) announce(spoken(answer));
}

/** Shows the question as it was understood, if it is not in the words asked. @param {Shown} turn @param {string} resolved */
function tellUnderstood({ question, understood }, resolved) {
  understood.hidden = oneLine(resolved) === oneLine(question);
  const literally = button("Take it literally", () => void ask(question, { literally: true }), { class: "link-button" });
  fill(understood, "Understood as ", el("q", { dir: "auto" }, oneLine(resolved)), " ", literally);
}

/** @param {import("./records.js").Filters | undefined} filters @param {boolean} resolve */
function describeFilters(filters, resolve) {
  const { after, before, source } = filters ?? {};
  return [
    after && before ? `published ${after} to ${before}` : after ? `published from ${after}` : before && `published to ${before}`,
    source && `from ${source}`,
    !resolve && !isEmptyTitle() && "taken literally",
  ]
    .filter(Boolean)
    .join(", ");
}
