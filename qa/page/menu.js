/** The side bar: a drawer on narrow screens; theme and key. */

import { key } from "./api.js";
import { showShortcuts } from "./dialogs.js";
import { announce, byId } from "./dom.js";

const THEME = "dateline.theme";
const THEMES = ["system", "light", "dark"];
const NARROW = matchMedia("(max-width: 860px)");

const isMenuOpen = () => document.body.classList.contains("menu-open");

/** @param {boolean} open */
function setMenu(open) {
  document.body.classList.toggle("menu-open", open);
  byId("menu").setAttribute("aria-expanded", String(open));
  byId("side-shade").hidden = !open;
  byId("side").inert = NARROW.matches && !open;
  byId("main").inert = open;
  if (open) byId("menu-close").focus();
}

/** Whether it was open. */
export function closeMenu() {
  if (!isMenuOpen()) return false;
  setMenu(false);
  byId("menu").focus();
  return true;
}

export function startMenu() {
  byId("menu").addEventListener("click", () => setMenu(!isMenuOpen()));
  byId("menu-close").addEventListener("click", closeMenu);
  byId("side-shade").addEventListener("click", closeMenu);
  NARROW.addEventListener("change", () => setMenu(false));
  setMenu(false);
  byId("shortcuts").addEventListener("click", showShortcuts);
  byId("theme").addEventListener("click", nextTheme);
  tellTheme();
  byId("forget-key").addEventListener("click", () => {
    key.forget();
    location.reload();
  });
}

const theme = () => document.documentElement.dataset.theme ?? "system";

function nextTheme() {
  const next = THEMES[(THEMES.indexOf(theme()) + 1) % THEMES.length];
  if (next === "system") {
    delete document.documentElement.dataset.theme;
    localStorage.removeItem(THEME);
  } else {
    document.documentElement.dataset.theme = next;
    localStorage.setItem(THEME, next);
  }
  tellTheme();
  announce(`Theme: ${theme()}`);
}

function tellTheme() {
  byId("theme").lastChild?.replaceWith(`Theme: ${theme()}`);
}
