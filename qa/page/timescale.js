/** The arithmetic of a timeline: ticks, lanes, and labels that do not overlap. No drawing here. */

const DAY = 86_400_000; // ms

/** A day as ms since 1970, UTC. @param {string} iso "2024-03-04" */
export const moment = (iso) => Date.parse(`${iso}T00:00Z`);

/**
 * Where labels go that want to be at some places and must not overlap: those nearest to where they
 * want to be, by least squares, in the given order (isotonic regression by pooling neighbours;
 * Ayer et al. 1955).
 *
 * @param {number[]} wanted tops, rising
 * @param {number[]} heights with the gap after each
 * @returns {number[]} tops, none below 0
 */
export function placed(wanted, heights) {
  /** @type {{ sum: number, count: number }[]} */
  const blocks = [];
  let before = 0;
  wanted.forEach((top, i) => {
    let block = { sum: top - before, count: 1 };
    before += heights[i];
    while (blocks.length && mean(blocks[blocks.length - 1]) > mean(block)) {
      const last = /** @type {{ sum: number, count: number }} */ (blocks.pop());
      block = { sum: last.sum + block.sum, count: last.count + block.count };
    }
    blocks.push(block);
  });
  const tops = blocks.flatMap((block) => Array(block.count).fill(Math.max(0, mean(block))));
  before = 0;
  return tops.map((top, i) => {
    const shifted = top + before;
    before += heights[i];
    return shifted;
  });
}

/** @param {{ sum: number, count: number }} block */
const mean = (block) => block.sum / block.count;

/**
 * Lanes for intervals, so that those in one lane do not touch; the first lane is filled first.
 *
 * @param {[number, number][]} intervals with rising starts
 * @returns {number[]} from 0
 */
export function lanes(intervals) {
  /** @type {number[]} */
  const ends = [];
  return intervals.map(([start, end]) => {
    const free = ends.findIndex((last) => last <= start);
    const lane = free < 0 ? ends.length : free;
    ends[lane] = end;
    return lane;
  });
}

// Steps between ticks, in months or days, the finest first.
const DAYS = [1, 2, 7, 14];
const MONTHS = [1, 3, 6, 12, 24, 60, 120, 240, 600, 1200, 6000, 12_000];

/**
 * Ticks between two moments: at the starts of days, months or years, as many as there is room for.
 *
 * @param {number} start ms since 1970, UTC
 * @param {number} end
 * @param {number} most how many there is room for
 * @returns {{ at: number, label: string }[]}
 */
export function ticks(start, end, most) {
  const span = (end - start) / DAY;
  const step = DAYS.find((days) => span / days <= most);
  if (step) return dayTicks(start, end, step);
  const months = MONTHS.find((count) => span / (count * 30.44) <= most) ?? 12_000;
  return monthTicks(start, end, months);
}

/** @param {number} start @param {number} end @param {number} step days */
function dayTicks(start, end, step) {
  const found = [];
  const first = Math.ceil(start / DAY);
  for (let day = first + ((step - (first % step)) % step); day * DAY <= end; day += step) {
    found.push({ at: day * DAY, label: text(day * DAY, { day: "numeric", month: "short" }) });
  }
  return withYears(found);
}

/** @param {number} start @param {number} end @param {number} step months */
function monthTicks(start, end, step) {
  const found = [];
  const from = new Date(start);
  const months = from.getUTCFullYear() * 12 + from.getUTCMonth();
  for (let month = Math.ceil(months / step) * step; ; month += step) {
    const date = new Date(0);
    date.setUTCFullYear(Math.floor(month / 12), month % 12, 1);
    const at = date.getTime();
    if (at > end) break;
    if (at >= start) found.push({ at, label: text(at, step >= 12 ? { year: "numeric" } : { month: "short" }) });
  }
  return step >= 12 ? found : withYears(found);
}

/** Says the year too at the first tick and with each new year. @param {{ at: number, label: string }[]} found */
function withYears(found) {
  let last = NaN;
  return found.map((tick) => {
    const year = new Date(tick.at).getUTCFullYear();
    const label = year === last ? tick.label : `${tick.label} ${year}`;
    last = year;
    return { at: tick.at, label };
  });
}

/** @param {number} at @param {Intl.DateTimeFormatOptions} options */
function text(at, options) {
  return new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", ...options }).format(at);
}
