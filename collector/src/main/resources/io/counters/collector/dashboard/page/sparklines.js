// The last ten minutes of the counters in view: read once from the history, then continued with new values.
import {ask, now as second} from './live.js';
import {style} from './dom.js';

const STEP = 10;
const STEPS = 60;
const KNOWN_MAX = 2000;
const NAMES_AT_ONCE = 60;
/** A time without samples that is longer than this is a gap. */
const GAP_SECONDS = 35;

/**
 * By name, with values as BigInt, because differences of large numbers would be rounded. Gaps are known only up to
 * `readSecond`: after that, a counter without a new value has not changed.
 */
const known = new Map();
let wanted = new Set();
let isAsking = false;
let redraw = () => {};

/** @param drawn called when the past of counters has been read */
export const onPast = drawn => redraw = drawn;

export const forget = () => known.clear();

/** Whether history keeps this counter; undefined if that is not known yet. */
export const isKept = name => known.get(name)?.isKept;

/** Reads the past of these counters soon, unless it is known already. */
export function want(names) {
  wanted = new Set(names.filter(name => !known.has(name)));
  if (wanted.size > 0 && !isAsking) {
    read();
  }
}

async function read() {
  isAsking = true;
  await new Promise(resolve => setTimeout(resolve, 30));
  while (wanted.size > 0) {
    const names = [...wanted].slice(0, NAMES_AT_ONCE);
    names.forEach(name => wanted.delete(name));
    try {
      const now = Math.floor(second());
      const past = await ask('api/history', {names, from: now - STEP * (STEPS + 2), to: now + 60, step: STEP});
      for (const {name, seconds, values} of past.counters) {
        known.set(name, {isKept: seconds.length > 0, seconds, values: values.map(BigInt), readSecond: now});
      }
      while (known.size > KNOWN_MAX) {
        known.delete(known.keys().next().value);
      }
      redraw();
    } catch {
      // It is requested again later; meanwhile the lines begin now.
      break;
    }
  }
  isAsking = false;
}

/** A value, as BigInt, that has just arrived. */
export function add(name, value) {
  const past = known.get(name);
  if (!past) {
    return;
  }
  const {seconds, values} = past;
  const now = Math.floor(second());
  const last = seconds.length - 1;
  if (last >= 1 && now - seconds[last - 1] < STEP) {
    seconds[last] = now;
    values[last] = value;
  } else {
    if (last >= 0 && now - seconds[last] > 2 * STEP) {
      // It had not changed until just now.
      seconds.push(now - STEP);
      values.push(values[last]);
    }
    seconds.push(now);
    values.push(value);
  }
  while (seconds.length > STEPS * 2) {
    seconds.shift();
    values.shift();
  }
}

/** Increments in each complete step, with straight lines between samples; null where nothing is known. */
function steps(past, value) {
  const now = second();
  const end = Math.floor(now / STEP) * STEP;
  const seconds = [...past.seconds, now];
  const first = past.values[0] ?? value;
  const values = [...past.values, value].map(some => Number(some - first));
  const sums = new Array(STEPS).fill(null);
  let at = 0;
  let before = null;
  for (let step = -1; step < STEPS; step++) {
    const until = end - STEP * (STEPS - 1 - step);
    while (at < seconds.length && seconds[at] < until) {
      at++;
    }
    let sum = null;
    if (at > 0 && at < seconds.length) {
      const length = seconds[at] - seconds[at - 1];
      const isGap = length > GAP_SECONDS && seconds[at] <= past.readSecond;
      sum = isGap ? null : values[at - 1] + (values[at] - values[at - 1]) * (until - seconds[at - 1]) / length;
    }
    if (step >= 0 && sum !== null && before !== null) {
      sums[step] = sum - before;
    }
    before = sum;
  }
  return sums;
}

let ink = {};

/** Reads the colors of the style; call it when the color scheme changes. */
export function recolor() {
  ink = {line: style('--spark'), fill: style('--spark-fill'), rest: style('--line')};
}

/** Draws the last ten minutes of one counter, whose value is a BigInt. */
export function draw(canvas, name, value) {
  const scale = devicePixelRatio || 1;
  const width = Math.round(canvas.clientWidth * scale);
  const height = Math.round(canvas.clientHeight * scale);
  if (width === 0) {
    return;
  }
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  const pen = canvas.getContext('2d');
  pen.clearRect(0, 0, width, height);
  const past = known.get(name);
  const sums = past ? steps(past, value) : [];
  let low = 0;
  let high = 0;
  for (const sum of sums) {
    low = Math.min(low, sum ?? 0);
    high = Math.max(high, sum ?? 0);
  }
  const room = height - 2 * scale;
  const y = sum => scale + room * (high - sum) / (high - low || 1);
  const zero = high === low ? height - scale : y(0);
  pen.lineWidth = scale;
  pen.strokeStyle = ink.rest;
  pen.beginPath();
  pen.moveTo(0, Math.round(zero) - scale / 2);
  pen.lineTo(width, Math.round(zero) - scale / 2);
  pen.stroke();
  if (high === low) {
    return;
  }
  const x = step => (step + 0.5) * width / STEPS;
  let begun = -1;
  const finish = end => {
    if (begun < 0) {
      return;
    }
    pen.beginPath();
    pen.moveTo(x(begun), y(sums[begun]));
    for (let step = begun + 1; step < end; step++) {
      pen.lineTo(x(step), y(sums[step]));
    }
    pen.strokeStyle = ink.line;
    pen.lineWidth = 1.25 * scale;
    pen.lineJoin = 'round';
    pen.stroke();
    pen.lineTo(x(end - 1), zero);
    pen.lineTo(x(begun), zero);
    pen.fillStyle = ink.fill;
    pen.fill();
    begun = -1;
  };
  for (let step = 0; step < STEPS; step++) {
    if (sums[step] === null) {
      finish(step);
    } else if (begun < 0) {
      begun = step;
    }
  }
  finish(STEPS);
}
