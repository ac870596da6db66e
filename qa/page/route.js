/**
 * What the page shows, as the part of its address after "#":
 *
 *   /                       a new conversation
 *   /session/ID             a conversation
 *   /timeline?query=&since=&until=
 *   /documents
 *   /source/ID?start=&end=  a document, scrolled to a span; `passage=START-END` around it is marked
 *                           softly, `beside=` is the address of what else is shown
 */

/**
 * @typedef {{ id: string, start: number | null, end: number | null,
 *   passage: [number, number] | null }} SourceRoute
 * @typedef {{ view: "chat" | "timeline" | "documents", session: string | null,
 *   params: URLSearchParams, base: string, source: SourceRoute | null }} Route
 */

/** @param {string | null} digits */
const number = (digits) => (digits && /^\d{1,12}$/.test(digits) ? Number(digits) : null);

/** @param {string} part */
function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/**
 * @param {string} hash with or without "#"
 * @returns {Route}
 */
export function parse(hash) {
  const address = hash.replace(/^#/, "") || "/";
  const [path, query = ""] = split(address);
  const params = new URLSearchParams(query);
  const [, first = "", second = ""] = path.split("/");
  if (first === "source" && second) {
    const around = parse(params.get("beside") ?? "/");
    const passage = /^(\d{1,12})-(\d{1,12})$/.exec(params.get("passage") ?? "");
    const source = {
      id: decoded(second),
      start: number(params.get("start")),
      end: number(params.get("end")),
      passage: /** @type {[number, number] | null} */ (
        passage ? [Number(passage[1]), Number(passage[2])] : null
      ),
    };
    return { ...around, source };
  }
  const session = first === "session" && second ? decoded(second) : null;
  const view = first === "timeline" || first === "documents" ? first : "chat";
  return { view, session, params, base: address, source: null };
}

/** @param {string} address @returns {[string, string]} */
function split(address) {
  const at = address.indexOf("?");
  return at < 0 ? [address, ""] : [address.slice(0, at), address.slice(at + 1)];
}

/**
 * The address of a document, at a span of it if one is given.
 *
 * @param {string} id
 * @param {{ start: number, end: number, passage?: { start: number, end: number } } | null} span
 * @param {string} [beside] what else is shown
 */
export function sourceAddress(id, span, beside) {
  const params = new URLSearchParams();
  if (span) {
    params.set("start", String(span.start));
    params.set("end", String(span.end));
    if (span.passage) params.set("passage", `${span.passage.start}-${span.passage.end}`);
  }
  if (beside && beside !== "/") params.set("beside", beside);
  const query = params.toString();
  return `#/source/${encodeURIComponent(id)}${query && `?${query}`}`;
}

/** @param {string} id */
export const sessionAddress = (id) => `#/session/${encodeURIComponent(id)}`;

/** What is shown now, but for a source beside it. */
export const base = () => parse(location.hash).base;

/**
 * Changes the address of what is shown without showing anything anew; a source beside it stays.
 *
 * @param {string} hash
 */
export function rename(hash) {
  const { source } = parse(location.hash);
  let renamed = hash;
  if (source) {
    const params = new URLSearchParams(split(location.hash)[1]);
    params.set("beside", hash.replace(/^#/, ""));
    renamed = `#/source/${encodeURIComponent(source.id)}?${params}`;
  }
  history.replaceState(history.state, "", renamed);
}
