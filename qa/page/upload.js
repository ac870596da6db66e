/** Adding documents: files dropped or chosen, sent, and indexed while one watches. */

import { Problem, events, json, request, upload } from "./api.js";
import { countDocuments, refreshDocuments } from "./documents.js";
import { announce, button, byId, el, fill } from "./dom.js";
import { counted, oneLine, size } from "./text.js";

/** @typedef {import("./records.js").Job} Job */
/** @typedef {import("./records.js").Report} Report */

const RECONNECT = 1000; // ms
export const KINDS = "txt, md, html, pdf, docx, eml, json, jsonl, csv";

/** @type {HTMLInputElement} */
const chooser = el("input", { type: "file", multiple: true, hidden: true, "aria-hidden": "true", id: "files" });
const jobs = el("div", { class: "jobs" });
let depth = 0; // dragenter and dragleave come for every element on the way

export function chooseFiles() {
  chooser.value = "";
  chooser.click();
}

/** @param {() => void} show makes the view with the jobs visible */
export function startUpload(show) {
  fill(
    byId("upload"),
    el(
      "div",
      { class: "dropzone slim" },
      el("p", {}, "Add documents", el("span", { class: "hint" }, el("span", { class: "by-mouse" }, "Drop files or folders anywhere on this page. "), KINDS)),
      button("Choose files", chooseFiles, { icon: "upload", class: "quiet-button bordered" }),
    ),
    jobs,
    chooser,
  );
  /** @param {File[]} files */
  const take = (files) => {
    if (!files.length) return;
    show();
    void add(files);
  };
  chooser.addEventListener("change", () => take([...(chooser.files ?? [])]));
  dropping(take);
}

/** @param {(files: File[]) => void} take */
function dropping(take) {
  /** @param {DragEvent} event */
  const hasFiles = (event) => event.dataTransfer?.types.includes("Files") ?? false;
  /** @param {number} next */
  const hover = (next) => {
    depth = Math.max(0, next);
    byId("drop").hidden = depth === 0;
  };
  addEventListener("dragenter", (event) => hasFiles(event) && hover(depth + 1));
  addEventListener("dragleave", (event) => hasFiles(event) && hover(depth - 1));
  addEventListener("dragover", (event) => hasFiles(event) && event.preventDefault());
  addEventListener("drop", async (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    hover(0);
    take(await dropped(/** @type {DataTransfer} */ (event.dataTransfer)));
  });
}

/**
 * The files that were dropped, those in folders too.
 *
 * @param {DataTransfer} transfer
 */
async function dropped(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry()); // at once: it is emptied after
  const plain = [...transfer.files];
  if (!entries.some((entry) => entry?.isDirectory)) return plain;
  const found = await Promise.all(entries.map((entry) => (entry ? filesOf(entry) : [])));
  return found.flat();
}

/** @param {FileSystemEntry} entry @returns {Promise<File[]>} */
async function filesOf(entry) {
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => /** @type {FileSystemFileEntry} */ (entry).file(resolve, reject));
    return [/** @type {File} */ (file)];
  }
  const reader = /** @type {FileSystemDirectoryEntry} */ (entry).createReader();
  const found = [];
  for (;;) {
    /** @type {FileSystemEntry[]} */
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) break;
    found.push(...(await Promise.all(some.map(filesOf))));
  }
  return found.flat();
}

/** @param {File[]} files */
async function add(files) {
  const card = newCard(files.map(({ name, size: bytes }) => ({ name, size: bytes })));
  jobs.prepend(card.element);
  const body = new FormData();
  for (const file of files) body.append("files", file);
  try {
    const { job } = await upload("api/documents", body, (sent, total) => card.tell("Sending", sent, total));
    await watch(job, card);
  } catch (error) {
    card.fail(error);
  }
}

/**
 * Shows a job until it is over.
 *
 * @param {string} id
 * @param {Card} card
 */
async function watch(id, card) {
  const path = `api/index-jobs/${encodeURIComponent(id)}`;
  card.tell("Waiting");
  card.canBeCancelled(() => request(path, { method: "DELETE" }));
  for (;;) {
    for await (const { data } of events(`${path}/events`)) {
      if (card.show(/** @type {Job} */ (data))) break;
    }
    if (card.isOver() || card.show(/** @type {Job} */ (await json(path)))) break;
    await new Promise((resolve) => setTimeout(resolve, RECONNECT)); // it was cut off on the way
  }
  void refreshDocuments();
  void countDocuments();
}

/** Goes on showing the jobs that run, after the page was loaded anew. */
export async function resumeJobs() {
  if (jobs.childElementCount) return;
  try {
    const { jobs: all } = /** @type {{ jobs: Job[] }} */ (await json("api/index-jobs"));
    for (const job of all.filter(({ state }) => state === "queued" || state === "running")) {
      const card = newCard(job.files);
      jobs.append(card.element);
      watch(job.id, card).catch((error) => card.fail(error));
    }
  } catch {
    // The list of documents says what is wrong.
  }
}

/** @typedef {ReturnType<typeof newCard>} Card */

/** @param {{ name: string, size: number }[]} files */
function newCard(files) {
  const total = files.reduce((sum, file) => sum + file.size, 0);
  const name = files.length === 1 ? files[0].name : counted(files.length, "file");
  const state = el("span", { class: "job-state" }, "Sending");
  const bar = el("progress", { "aria-label": `Adding ${name}` });
  const details = el("div", { class: "job-details" });
  const element = el(
    "div",
    { class: "job" },
    el("p", { class: "job-head" }, el("bdi", { class: "job-name" }, name), el("span", { class: "hint" }, size(total)), state),
    bar,
    details,
  );
  let over = false;
  /** @param {string} how */
  const end = (how) => {
    over = true;
    bar.remove();
    element.querySelector(".job-head button")?.remove();
    element.classList.add(how);
    element.querySelector(".job-head")?.append(
      button(`Put away ${name}`, () => element.remove(), { icon: "close", bare: true }),
    );
    announce(`${name}: ${state.textContent}`);
  };
  return {
    element,
    isOver: () => over,
    /** @param {() => Promise<unknown>} cancel */
    canBeCancelled(cancel) {
      const control = button("Cancel", async () => {
        control.disabled = true;
        await cancel().catch((error) => fill(details, el("p", { class: "problem" }, error.message)));
      });
      state.after(control);
    },
    /** @param {string} doing @param {number} [done] @param {number} [of] */
    tell(doing, done, of) {
      state.textContent = of ? `${doing}, ${Math.round(((done ?? 0) / of) * 100)} %` : doing;
      if (of) Object.assign(bar, { max: of, value: done });
      else bar.removeAttribute("value");
    },
    /** Whether it is over. @param {Job} job */
    show(job) {
      const { progress } = job;
      if (job.state === "queued") this.tell(job.waiting ?? "Waiting");
      if (job.state === "running") this.tell("Indexing", progress?.done, progress?.total);
      if (job.state === "done" && job.report) {
        state.textContent = outcome(job.report);
        fill(details, failures(job.report));
        end("done");
      }
      if (job.state === "failed") this.fail(new Problem(job.error?.problem ?? "It failed.", job.error?.next_step));
      return over;
    },
    /** @param {unknown} error */
    fail(error) {
      state.textContent = "Not added";
      const problem = error instanceof Error ? error.message : String(error);
      const next = error instanceof Problem ? error.nextStep : "";
      fill(details, el("p", { class: "problem" }, problem), next && el("p", {}, next));
      end("failed");
    },
  };
}

/** What became of the files: "3 added, 1 updated". @param {Report} report */
function outcome(report) {
  const counts = [
    [report.counts.indexed, "added"],
    [report.counts.updated, "updated"],
    [report.counts.unchanged, "already there"],
    [report.counts.failed, "not readable"],
    [report.counts.skipped, "of a kind that is not read"],
  ];
  const said = counts.filter(([count]) => count).map(([count, what]) => `${count} ${what}`);
  return said.join(", ") || "Nothing to add";
}

/** Each file that could not be read, with the reason. @param {Report} report */
function failures({ failed }) {
  if (!failed.length) return null;
  return el(
    "ul",
    {},
    ...failed.map((one) => el("li", {}, el("bdi", {}, oneLine(one.source)), `: ${one.reason}`)),
  );
}
