/** Starts the page, and shows what its address says. */

import { key } from "./api.js";
import { showChat, startChat } from "./chat.js";
import { focusQuestion } from "./composer.js";
import { countDocuments, refreshDocuments, startDocuments } from "./documents.js";
import { byId, placeIcons } from "./dom.js";
import { startKeyboard } from "./keyboard.js";
import { parse } from "./route.js";
import { closeMenu, startMenu } from "./menu.js";
import { markOpenView, refreshSessions } from "./sessions.js";
import { cameFrom, showSource } from "./source.js";
import { showTimeline, startTimeline } from "./timeline_view.js";
import { resumeJobs, startUpload } from "./upload.js";

const VIEWS = /** @type {const} */ (["chat", "timeline", "documents"]);

let view = "";

async function show() {
  const route = parse(location.hash);
  const isOther = route.view !== view;
  view = route.view;
  for (const name of VIEWS) byId(name).hidden = name !== view;
  markOpenView();
  closeMenu();
  if (view === "chat") await showChat(route.session);
  if (view === "timeline") void showTimeline(route.params);
  if (view === "documents" && isOther) {
    void refreshDocuments();
    void resumeJobs();
  }
  if (view !== "chat") document.title = `${view === "timeline" ? "Timeline" : "Documents"} – Dateline`;
  if (isOther && view === "chat" && !route.source && matchMedia("(hover: hover)").matches) focusQuestion();
  void showSource(route.source);
}

placeIcons();
startMenu();
startKeyboard();
startChat();
startTimeline();
startDocuments();
startUpload(() => {
  if (view !== "documents") location.hash = "#/documents";
});
document.addEventListener("dateline:key", tellKey);
addEventListener("hashchange", (event) => {
  if (location.hash && !location.hash.startsWith("#/")) return; // a place on the page
  cameFrom(new URL(event.oldURL).hash || "#/");
  void show();
});
tellKey();
void refreshSessions();
void countDocuments();
void show();

function tellKey() {
  byId("forget-key").hidden = key.get() === null;
}
