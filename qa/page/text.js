/** Offsets, likelihoods, dates and numbers, as texts. */

const ASTRAL = /[\u{10000}-\u{10FFFF}]/u;

/**
 * Offsets into a text, from code points, which the service counts, to UTF-16 units, which
 * JavaScript counts: an emoji is one of those and two of these.
 *
 * @param {string} text
 * @param {number[]} offsets
 * @returns {number[]} in the same order; what lies behind the end is at the end
 */
export function utf16(text, offsets) {
  if (!ASTRAL.test(text)) return offsets.map((offset) => Math.min(offset, text.length));
  const wanted = [...new Set(offsets)].sort((a, b) => a - b);
  const found = new Map();
  let units = 0;
  let points = 0;
  for (const offset of wanted) {
    while (points < offset && units < text.length) {
      units += /** @type {number} */ (text.codePointAt(units)) > 0xffff ? 2 : 1;
      points += 1;
    }
    found.set(offset, units);
  }
  return offsets.map((offset) => found.get(offset));
}

/**
 * A text cut at rising code points: always one piece more than there are cuts.
 *
 * @param {string} text
 * @param {number[]} cuts
 */
export function pieces(text, cuts) {
  const units = [0, ...utf16(text, cuts), text.length];
  return units.slice(1).map((unit, i) => text.slice(units[i], unit));
}

// The words for likelihoods of Intelligence Community Directive 203 (2015), section D.6.e.
/** @type {[number, string][]} */
const LIKELIHOODS = [
  [0.95, "almost certain"],
  [0.8, "very likely"],
  [0.55, "likely"],
  [0.45, "about even"],
  [0.2, "unlikely"],
  [0.05, "very unlikely"],
  [0, "almost no chance"],
];

/** How sure one may be, from 0 to 1, in words. @param {number} confidence */
export function likelihood(confidence) {
  return LIKELIHOODS.find(([least]) => confidence >= least)?.[1] ?? "almost no chance";
}

/** Likewise as a number: never 0 or 100, since nothing here is certain. @param {number} confidence */
export function percent(confidence) {
  return `${Math.min(99, Math.max(1, Math.round(confidence * 100)))}\u202f%`;
}

/** @param {Intl.DateTimeFormatOptions} options */
const format = (options) => new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", ...options });
const DAY = format({ day: "numeric", month: "long", year: "numeric" });
const SHORT_DAY = format({ day: "numeric", month: "short", year: "numeric" });
const MONTH = format({ month: "long", year: "numeric" });

/** @param {string} iso "2024-03-04" */
const dayOf = (iso) => new Date(`${iso}T00:00:00Z`);

/**
 * A day as people write it: "4 March 2024".
 *
 * @param {string | null | undefined} iso
 * @param {{ short?: boolean }} [options]
 */
export function day(iso, options = {}) {
  if (!iso) return "";
  const date = dayOf(iso);
  if (Number.isNaN(date.getTime())) return iso;
  return (options.short ? SHORT_DAY : DAY).format(date);
}

/**
 * What a value stands for, "4 March 2024", "21–31 July 2023", "March 2024", "2024"; else "".
 *
 * @param {import("./records.js").Value | null | undefined} value
 */
export function days(value) {
  if (!value?.start || !value.end) return "";
  const [start, end] = [dayOf(value.start), dayOf(value.end)];
  if (Number.isNaN(start.getTime()) || Number.isNaN(end.getTime()) || start > end) return "";
  if (value.start === value.end) return day(value.start);
  const next = new Date(end.getTime() + 86_400_000);
  if (start.getUTCDate() === 1 && next.getUTCDate() === 1) {
    const months =
      (next.getUTCFullYear() - start.getUTCFullYear()) * 12 + next.getUTCMonth() - start.getUTCMonth();
    if (months === 1) return MONTH.format(start);
    if (months === 12 && start.getUTCMonth() === 0) return String(start.getUTCFullYear());
    return MONTH.formatRange(start, end);
  }
  return DAY.formatRange(start, end);
}

/** @param {number} count @param {string} noun @param {string} [plural] */
export function counted(count, noun, plural = `${noun}s`) {
  return `${count.toLocaleString("en-GB")} ${count === 1 ? noun : plural}`;
}

/** Words on one line. @param {string} text */
export const oneLine = (text) => text.replace(/\s+/gu, " ").trim();

/** @param {number} bytes */
export function size(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  const power = bytes < 1e6 ? 1 : 2;
  return `${(bytes / 1000 ** power).toFixed(bytes < 1e4 ? 1 : 0)} ${["", "kB", "MB"][power]}`;
}

/**
 * Numbers that rise, in short: "1, 3–5".
 *
 * @param {number[]} numbers
 */
export function ranges(numbers) {
  /** @type {number[][]} */
  const runs = [];
  for (const number of numbers) {
    const last = runs.at(-1);
    if (last && number === /** @type {number} */ (last.at(-1)) + 1) last.push(number);
    else runs.push([number]);
  }
  return runs.map((run) => (run.length > 1 ? `${run[0]}–${run.at(-1)}` : run[0])).join(", ");
}
