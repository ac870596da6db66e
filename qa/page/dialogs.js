/** What stands in front of everything else until it is answered. */

import { button, el } from "./dom.js";

/**
 * Shows a dialog until it is closed; the browser keeps the focus in it and puts it back after.
 *
 * @param {string} title
 * @param {(close: (value: string) => void) => import("./dom.js").Child[]} content
 * @returns {Promise<string>} what it was closed with; "" after Esc
 */
function show(title, content) {
  return new Promise((resolve) => {
    const heading = el("h2", { id: "dialog-title" }, title);
    const dialog = el("dialog", { class: "dialog", "aria-labelledby": "dialog-title" }, heading);
    dialog.append(...content((value) => dialog.close(value)).filter((child) => child instanceof Node));
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog) dialog.close(""); // beside it
    });
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

/**
 * Whether to go on with what cannot be undone.
 *
 * @param {string} title
 * @param {string} text
 * @param {string} action what the button says that goes on
 */
export async function confirmed(title, text, action) {
  const answer = await show(title, (close) => [
    el("p", {}, text),
    el(
      "div",
      { class: "dialog-buttons" },
      button("Cancel", () => close("")),
      button(action, () => close("yes"), { class: "danger" }),
    ),
  ]);
  return answer === "yes";
}

/** @type {Promise<string | null> | null} */
let asking = null;

/**
 * Asks for the service's key, once for all who want one at the same time.
 *
 * @param {string} problem what was wrong with the last one, if there was one
 * @returns {Promise<string | null>} null if none was given
 */
export function askForKey(problem) {
  asking ??= keyDialog(problem).finally(() => (asking = null));
  return asking;
}

/** @param {string} problem */
async function keyDialog(problem) {
  const field = el("input", {
    id: "key-field",
    type: "password",
    required: true,
    autocomplete: "off",
    "aria-describedby": "key-about",
  });
  const given = await show("This service asks for a key", (close) => [
    problem ? el("p", { class: "problem", role: "alert" }, problem) : null,
    el(
      "form",
      {
        submit: (/** @type {Event} */ event) => {
          event.preventDefault();
          close(field.value.trim());
        },
      },
      el("label", { for: "key-field" }, "Key"),
      field,
      el(
        "p",
        { id: "key-about", class: "hint" },
        "Whoever runs the service makes keys with “dateline keys”. It is kept until this tab is closed.",
      ),
      el(
        "div",
        { class: "dialog-buttons" },
        button("Cancel", () => close("")),
        el("button", { type: "submit", class: "primary" }, "Go on"),
      ),
    ),
  ]);
  return given || null;
}

const KEYS = [
  ["/", "to the question"],
  ["Enter", "ask"],
  ["Shift + Enter", "a new line in the question"],
  ["n", "a new conversation"],
  ["[  and  ]", "the source before, the next one"],
  ["↑  and  ↓", "in lists"],
  ["Esc", "close the source, the menu or a dialog"],
  ["?", "this list"],
];

const SINGLE = "dateline.single-keys";

/** Whether keys do something without Ctrl or Alt; speech input may want them not to. */
export const hasSingleKeys = () => localStorage.getItem(SINGLE) !== "off";

export function showShortcuts() {
  const rows = KEYS.flatMap(([keys, what]) => [
    el("dt", {}, ...keys.split(/( {2}and {2})/).map((part) => (part.includes("and") ? " " : el("kbd", {}, part)))),
    el("dd", {}, what),
  ]);
  const box = el("input", {
    type: "checkbox",
    checked: hasSingleKeys(),
    change: () => localStorage.setItem(SINGLE, box.checked ? "on" : "off"),
  });
  return show("Keyboard", (close) => [
    el("dl", { class: "keys" }, ...rows),
    el("label", { class: "check" }, box, " Single letters and signs are shortcuts"),
    el("div", { class: "dialog-buttons" }, button("Close", () => close(""), { class: "primary" })),
  ]);
}
