/** Building the page. Texts become text nodes, never markup. */

/** @typedef {Node | string | number | null | undefined | false} Child */

/**
 * An element with attributes, listeners (functions, by the event's name) and children.
 *
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, unknown>} [attributes] true sets an empty one; null, false and undefined none
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") {
      element.addEventListener(name, /** @type {EventListener} */ (value));
    } else if (value !== null && value !== undefined && value !== false) {
      element.setAttribute(name, value === true ? "" : String(value));
    }
  }
  element.append(...nodes(children));
  return element;
}

/**
 * @param {string} tag
 * @param {Record<string, string | number>} attributes
 * @param {...SVGElement} children
 */
export function svg(tag, attributes, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

/** @param {Child[]} children */
function nodes(children) {
  return children
    .filter((child) => child !== null && child !== undefined && child !== false)
    .map((child) => (child instanceof Node ? child : String(child)));
}

/**
 * @param {Element} element
 * @param {...Child} children
 */
export function fill(element, ...children) {
  element.replaceChildren(...nodes(children));
}

/**
 * The element of an id; the page's own HTML has it.
 *
 * @param {string} id
 */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`There is no #${id}.`);
  return found;
}

/** @param {string} id */
export const input = (id) => /** @type {HTMLInputElement} */ (byId(id));

/** @param {string} id */
export const form = (id) => /** @type {HTMLFormElement} */ (byId(id));

/**
 * The values of a form's fields that are filled in.
 *
 * @param {HTMLFormElement | HTMLFieldSetElement} fields
 * @returns {Record<string, string>}
 */
export function values(fields) {
  const found = /** @type {NodeListOf<HTMLInputElement>} */ (fields.querySelectorAll("input[name]"));
  return Object.fromEntries(
    [...found].map((field) => [field.name, field.value.trim()]).filter(([, value]) => value),
  );
}

/** Tells a screen reader. @param {string} text */
export function announce(text) {
  byId("live").textContent = text;
}

const PATHS = {
  menu: "M4 7h16M4 12h16M4 17h16",
  close: "M6 6l12 12M18 6L6 18",
  new: "M12 20h8M15.5 4.5l4 4L8 20H4v-4z",
  timeline: "M6 3v18M6 7h13M6 12h9M6 17h12",
  documents: "M7 3h7l4 4v14H7zM14 3v4h4M10 12h5M10 16h5",
  theme: "M12 3a9 9 0 1 0 0 18zM12 3a9 9 0 0 1 0 18",
  keyboard: "M3 7h18v10H3zM7 10h.01M11 10h.01M15 10h.01M8 14h8",
  key: "M14 10a4 4 0 1 0-3.5 4l1.500-1.500h2v-2h2v-2l4-4V3h-2z",
  filter: "M4 6h16M7 12h10M10 18h4",
  trash: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13M10 11v6M14 11v6",
  upload: "M12 16V5M8 9l4-4 4 4M5 19h14",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  link: "M10 14a4 4 0 0 0 6 0l3-3a4 4 0 0 0-6-6l-1 1M14 10a4 4 0 0 0-6 0l-3 3a4 4 0 0 0 6 6l1-1",
  back: "M14 6l-6 6 6 6",
  next: "M10 6l6 6-6 6",
  open: "M14 4h6v6M20 4l-9 9M18 14v6H4V6h6",
  retry: "M19 12a7 7 0 1 1-2-5M19 4v4h-4",
  check: "M5 13l4 4L19 7",
  download: "M12 4v11M8 11l4 4 4-4M5 20h14",
};

/** @param {keyof typeof PATHS} name */
export function icon(name) {
  const path = svg("path", { d: PATHS[name] });
  return svg("svg", { class: "icon", viewBox: "0 0 24 24", "aria-hidden": "true" }, path);
}

/** Puts the icons into the page's own HTML. */
export function placeIcons() {
  for (const element of document.querySelectorAll("[data-icon]")) {
    element.prepend(icon(/** @type {keyof typeof PATHS} */ (element.getAttribute("data-icon"))));
  }
}

/**
 * A button.
 *
 * @param {string} label shown, or, with `{bare: true}`, only told to screen readers and as a tip
 * @param {(event: Event) => unknown} click
 * @param {{ icon?: keyof typeof PATHS, bare?: boolean, class?: string }} [options]
 */
export function button(label, click, options = {}) {
  const attributes = {
    type: "button",
    class: options.class ?? (options.bare ? "icon-button" : "quiet-button"),
    "aria-label": options.bare && label,
    title: options.bare && label,
    click,
  };
  return el("button", attributes, options.icon && icon(options.icon), !options.bare && label);
}
