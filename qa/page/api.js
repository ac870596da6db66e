/** Talking to the service. */

import { askForKey } from "./dialogs.js";

const KEY = "dateline.key";

/** What went wrong, with what to do about it. */
export class Problem extends Error {
  /**
   * @param {string} problem
   * @param {string} nextStep
   * @param {number} status of HTTP; 0 where there was no reply
   */
  constructor(problem, nextStep = "", status = 0) {
    super(problem);
    this.nextStep = nextStep;
    this.status = status;
  }
}

const UNREACHABLE = "The service cannot be reached.";
const TRY_AGAIN = "See whether dateline serve still runs and you are connected, then try again.";

export const key = {
  get: () => sessionStorage.getItem(KEY),
  /** @param {string} value */
  set: (value) => sessionStorage.setItem(KEY, value),
  forget: () => sessionStorage.removeItem(KEY),
};

/** @returns {Record<string, string>} */
export function authorization() {
  const value = key.get();
  return value ? { Authorization: `Bearer ${value}` } : {};
}

/**
 * Sends a request, asks for a key where one is needed, and gives the reply if it is a good one.
 *
 * @param {string} path relative to the page, so that the service may stand behind a prefix
 * @param {{ method?: string, body?: unknown, signal?: AbortSignal, accept?: string }} [options]
 * @returns {Promise<Response>}
 */
export async function request(path, options = {}) {
  for (;;) {
    const used = key.get();
    const reply = await send(path, options);
    if (reply.ok) return reply;
    const problem = problemOf(reply.status, await reply.text(), reply.headers.get("Retry-After"));
    if (reply.status !== 401 || !(await newKey(used, problem))) throw problem;
  }
}

/** @param {string} path @param {Parameters<typeof request>[1]} options */
async function send(path, options = {}) {
  const headers = authorization();
  if (options.body !== undefined) headers["Content-Type"] = "application/json";
  if (options.accept) headers.Accept = options.accept;
  try {
    return await fetch(path, {
      method: options.method ?? (options.body === undefined ? "GET" : "POST"),
      headers,
      body: options.body === undefined ? undefined : JSON.stringify(options.body),
      signal: options.signal,
      cache: "no-store",
    });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new Problem(UNREACHABLE, TRY_AGAIN);
  }
}

/**
 * Asks for a key, unless another one than the refused has been given meanwhile.
 *
 * @param {string | null} refused
 * @param {Problem} problem
 */
async function newKey(refused, problem) {
  if (key.get() !== refused) return true;
  const given = await askForKey(refused ? problem.message : "");
  if (given) key.set(given);
  document.dispatchEvent(new CustomEvent("dateline:key"));
  return given !== null;
}

/**
 * @param {number} status
 * @param {string} body
 * @param {string | null} retryAfter seconds
 */
export function problemOf(status, body, retryAfter = null) {
  let detail;
  try {
    detail = JSON.parse(body).error;
  } catch {
    detail = null; // not from the service, but from what stands in front of it
  }
  const wait = retryAfter ? `Try again in ${retryAfter} s.` : "";
  if (detail?.problem) return new Problem(detail.problem, detail.next_step || wait, status);
  return new Problem(`The service replied with the status ${status}.`, wait || TRY_AGAIN, status);
}

/**
 * @template T
 * @param {string} path
 * @param {Parameters<typeof request>[1]} [options]
 * @returns {Promise<T>}
 */
export async function json(path, options) {
  return (await request(path, options)).json();
}

/**
 * The server-sent events of a reply, their data as JSON.
 *
 * @param {string} path
 * @param {Parameters<typeof request>[1]} [options]
 * @returns {AsyncGenerator<{ event: string, data: any }>}
 */
export async function* events(path, options = {}) {
  const reply = await request(path, { ...options, accept: "text/event-stream" });
  if (!reply.body) return;
  const reader = reply.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  let ended = false;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      const blocks = (rest + value).split(/\r?\n\r?\n/);
      rest = blocks.pop() ?? "";
      for (const block of blocks) {
        const event = parsed(block);
        if (event) yield event;
      }
    }
    ended = true;
  } catch (error) {
    if (options.signal?.aborted || error instanceof Problem) throw error;
    throw new Problem("The connection broke off.", TRY_AGAIN);
  } finally {
    if (!ended) reader.cancel().catch(() => {});
  }
}

/** @param {string} block the lines of one event */
function parsed(block) {
  let event = "message";
  const data = [];
  for (const line of block.split(/\r?\n/)) {
    const [, field, value] = /^([^:]*):? ?(.*)$/s.exec(line) ?? [];
    if (field === "event") event = value;
    else if (field === "data") data.push(value);
  }
  return data.length ? { event, data: JSON.parse(data.join("\n")) } : null;
}

/**
 * Sends files; unlike fetch, this tells how far it is.
 *
 * @param {string} path
 * @param {FormData} body
 * @param {(sent: number, total: number) => void} onProgress bytes
 * @returns {Promise<any>}
 */
export async function upload(path, body, onProgress) {
  for (;;) {
    const used = key.get();
    const { status, text, retryAfter } = await post(path, body, onProgress);
    if (status >= 200 && status < 300) return JSON.parse(text);
    const problem = problemOf(status, text, retryAfter);
    if (status !== 401 || !(await newKey(used, problem))) throw problem;
  }
}

/**
 * @param {string} path
 * @param {FormData} body
 * @param {(sent: number, total: number) => void} onProgress
 * @returns {Promise<{ status: number, text: string, retryAfter: string | null }>}
 */
function post(path, body, onProgress) {
  return new Promise((resolve, reject) => {
    const sending = new XMLHttpRequest();
    sending.open("POST", path);
    for (const [name, value] of Object.entries(authorization())) {
      sending.setRequestHeader(name, value);
    }
    sending.upload.addEventListener("progress", (event) => onProgress(event.loaded, event.total));
    sending.addEventListener("load", () =>
      resolve({
        status: sending.status,
        text: sending.responseText,
        retryAfter: sending.getResponseHeader("Retry-After"),
      }),
    );
    sending.addEventListener("error", () => reject(new Problem(UNREACHABLE, TRY_AGAIN)));
    sending.send(body);
  });
}
