/** Keys; `dialogs.js` has the list that is shown. */

import { focusQuestion } from "./composer.js";
import { hasSingleKeys, showShortcuts } from "./dialogs.js";
import { closeMenu } from "./menu.js";
import { parse } from "./route.js";
import { closeSource, isOpen, stepSource } from "./source.js";

/** @type {Record<string, () => void>} */
const SINGLE = {
  "/": () => toQuestion(false),
  n: () => toQuestion(true),
  "[": () => stepSource(-1),
  "]": () => stepSource(1),
  "?": () => void showShortcuts(),
};

export function startKeyboard() {
  addEventListener("keydown", (event) => {
    if (event.defaultPrevented || document.querySelector("dialog[open]")) return;
    if (event.key === "Escape") {
      if (!closeMenu() && isOpen()) closeSource();
      return;
    }
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      if (moved(event.key === "ArrowDown" ? 1 : -1)) event.preventDefault();
      return;
    }
    const action = SINGLE[event.key];
    if (!action || isTyping() || !hasSingleKeys() || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    action();
  });
}

/** @param {boolean} isNew whether of a new conversation */
function toQuestion(isNew) {
  const { view, base } = parse(location.hash);
  if (view === "chat" && !(isNew && base !== "/")) {
    focusQuestion();
    return;
  }
  addEventListener("hashchange", focusQuestion, { once: true }); // when it is shown
  location.hash = "#/";
}

function isTyping() {
  const at = document.activeElement;
  return at instanceof HTMLTextAreaElement || (at instanceof HTMLInputElement && at.type !== "checkbox");
}

/** Moves the focus between the links of the list that it is in. @param {number} step */
function moved(step) {
  const at = document.activeElement;
  const list = at instanceof HTMLAnchorElement && at.closest("[data-arrows]");
  if (!list) return false;
  const links = [...list.querySelectorAll("a")];
  const next = links[links.indexOf(at) + step];
  next?.focus();
  return next !== undefined;
}
