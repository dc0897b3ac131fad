// Graphs, drawn by uPlot: values or rates of the chosen counters, in one chart or in a chart for each. They read the
// history, then add new values as they arrive. A drag over one chart zooms all; with Shift it marks a span in all.
/* global uPlot */
import {state, change, RANGES} from './state.js';
import {el, text, byId, style, nameNodes, debounced, download} from './dom.js';
import * as live from './live.js';
import * as list from './list.js';
import * as numbers from './numbers.js';

const STEP_SECONDS_MIN = 10;
const READ_AGAIN_MILLIS = 10_000;
const DRAG_PIXELS_MIN = 8;
/** Between samples that are farther apart than this many steps, there is a gap. */
const GAP_STEPS = 3.5;

const section = byId('charts');
let frames = [];
/** By name: {seconds, values, isKept}, as read last. Values are BigInt: differences of large numbers would be rounded. */
const past = new Map();
/** By name: the values that have arrived since. */
const tails = new Map();
let step = STEP_SECONDS_MIN;
let reading = 0;
let timer = 0;
let failure = '';
let isLoading = false;
let layout = '';
let parts = null;

const {now} = live;

/** The range that is shown, in seconds. */
function range() {
  return state.zoom ?? [now() - RANGES[state.range], now()];
}

function width() {
  return Math.max(200, section.clientWidth - 24);
}

// Reading

async function read() {
  clearTimeout(timer);
  const ticket = ++reading;
  const names = state.lines;
  if (names.length === 0 || document.hidden) {
    return;
  }
  const [from, to] = range();
  const length = to - from;
  const wanted = Math.max(STEP_SECONDS_MIN, Math.ceil(length / Math.min(1500, width()) / 10) * 10);
  isLoading = true;
  status();
  try {
    const answer = await live.ask('api/history', {
      names, from: Math.max(0, Math.floor(from - 2 * wanted)), to: Math.ceil(to + 60), step: wanted});
    if (ticket !== reading) {
      return;
    }
    step = wanted;
    for (const {name, seconds, values} of answer.counters) {
      past.set(name, {seconds, values: values.map(BigInt), isKept: seconds.length > 0});
      const tail = tails.get(name);
      if (tail && seconds.length > 0) {
        const last = seconds[seconds.length - 1];
        tails.set(name, tail.filter(([second]) => second > last));
      }
    }
    failure = '';
  } catch (cannot) {
    failure = cannot.message;
  }
  isLoading = false;
  draw();
  if (!state.zoom) {
    timer = setTimeout(read, Math.max(READ_AGAIN_MILLIS, step * 1000));
  }
}

const readSoon = debounced(60, read);

live.on('rows', arrived);
live.on('change', arrived);
live.on('clock', readSoon);

function arrived() {
  const second = now();
  for (const name of state.lines) {
    const latest = list.latest(name);
    if (latest) {
      const tail = tails.get(name) ?? [];
      // One point a second is enough; between two reads there are few.
      if (tail.length > 0 && second - tail[tail.length - 1][0] < 0.9) {
        tail.pop();
      }
      tail.push([second, BigInt(latest.value)]);
      if (tail.length > 3600) {
        tail.splice(0, tail.length - 3600);
      }
      tails.set(name, tail);
    }
  }
  drawSoon();
}

// Data for uPlot

/** Seconds, and for each a value as BigInt, or a rate. */
function exactPoints(name) {
  const known = past.get(name);
  const seconds = known ? [...known.seconds] : [];
  const values = known ? [...known.values] : [];
  if (!state.zoom) {
    const last = seconds.length > 0 ? seconds[seconds.length - 1] : -Infinity;
    for (const [second, value] of tails.get(name) ?? []) {
      if (second > last + (state.unit === 'rate' ? STEP_SECONDS_MIN / 2 : 0)) {
        seconds.push(second);
        values.push(value);
      }
    }
    const latest = list.latest(name);
    if (latest && seconds.length > 0 && now() - seconds[seconds.length - 1] > 1) {
      // It has not changed since.
      seconds.push(now());
      values.push(BigInt(latest.value));
    }
  }
  return state.unit === 'rate' ? rates(seconds, values) : gaps(seconds, values);
}

function points(name) {
  const [xs, ys] = exactPoints(name);
  return [xs, ys.map(y => y === null ? null : Number(y))];
}

function gaps(seconds, values) {
  const xs = [];
  const ys = [];
  seconds.forEach((second, i) => {
    if (i > 0 && isGap(seconds[i - 1], second)) {
      xs.push((seconds[i - 1] + second) / 2);
      ys.push(null);
    }
    xs.push(second);
    ys.push(values[i]);
  });
  return [xs, ys];
}

const isGap = (one, other) => other - one > GAP_STEPS * step;

/** Increments per second between one sample and the next; new values are combined until a step is complete. */
function rates(seconds, values) {
  const xs = [];
  const ys = [];
  let from = 0;
  for (let i = 1; i < seconds.length; i++) {
    const length = seconds[i] - seconds[from];
    const isLast = i === seconds.length - 1;
    if (length < Math.min(step, STEP_SECONDS_MIN) * 0.95 && !(isLast && length > 2)) {
      continue;
    }
    if (isGap(seconds[from], seconds[i])) {
      xs.push((seconds[from] + seconds[i]) / 2);
      ys.push(null);
    } else {
      xs.push(seconds[i]);
      ys.push(Number(values[i] - values[from]) / length);
    }
    from = i;
  }
  return [xs, ys];
}

/** One list of seconds for all counters, and each counter's values: undefined where it has no sample, null in a gap. */
function table(names, of = points) {
  return uPlot.join(names.map(name => of(name)), names.map(() => [2]));
}

// Charts

const color = name => style('--line-' + (state.lines.indexOf(name) % 8 + 1));

function options(names, height) {
  const muted = style('--muted');
  const grid = {stroke: style('--grid'), width: 1};
  const axis = {stroke: muted, grid, ticks: {...grid, size: 4}, font: '11px ' + style('--sans'), gap: 4};
  return {
    width: width(),
    height,
    pxAlign: 1,
    legend: {show: false},
    cursor: {
      sync: {key: 'counters', setSeries: false},
      drag: {x: false, y: false, setScale: false},
      points: {size: 6},
    },
    scales: {
      x: {time: true, range: () => range()},
      y: {range: (chart, low, high) => bounds(low, high)},
    },
    axes: [
      {...axis, size: 30, space: 70, values: (chart, seconds, at, space, gap) => seconds.map(second => tick(second, gap))},
      {...axis, size: 56, values: (chart, some) => some.map(numbers.number)},
    ],
    series: [{}, ...names.map(name => ({
      label: name, stroke: color(name), width: 1.5, points: {show: false}, spanGaps: false,
    }))],
    hooks: {
      setCursor: [chart => followCursor(chart)],
      drawClear: [marked],
      ready: [chart => drags(chart)],
    },
  };
}

function bounds(low, high) {
  if (low === null || low === undefined) {
    return [0, 1];
  }
  if (state.unit === 'rate') {
    low = Math.min(0, low);
    high = Math.max(0, high);
  }
  const room = (high - low) * 0.08 || Math.abs(high) * 0.05 || 1;
  return [low < 0 || state.unit === 'value' ? low - (low === 0 ? 0 : room) : 0, high + room];
}

const minutes = new Intl.DateTimeFormat('en-GB', {hour: '2-digit', minute: '2-digit'});
const seconds = new Intl.DateTimeFormat('en-GB', {hour: '2-digit', minute: '2-digit', second: '2-digit'});
const days = new Intl.DateTimeFormat('en-GB', {day: 'numeric', month: 'short'});

function tick(second, gap) {
  const date = new Date(second * 1000);
  const isDay = date.getHours() === 0 && date.getMinutes() === 0;
  return gap >= 86_400 || isDay ? days.format(date) : gap < 60 ? seconds.format(date) : minutes.format(date);
}

function marked(chart) {
  if (!state.mark) {
    return;
  }
  const [from, to] = state.mark.map(second => chart.valToPos(second, 'x', true));
  const {left, top, width: wide, height} = chart.bbox;
  const begin = Math.max(left, from);
  const end = Math.min(left + wide, to);
  if (end > begin) {
    chart.ctx.save();
    chart.ctx.fillStyle = style('--mark');
    chart.ctx.fillRect(begin, top, end - begin, height);
    chart.ctx.restore();
  }
}

// Dragging, by mouse, pen or finger: all charts show the span.

function drags(chart) {
  const over = chart.over;
  let begun = null;
  let isMark = false;
  const at = event => Math.max(0, Math.min(over.clientWidth, event.clientX - over.getBoundingClientRect().left));
  const span = event => [Math.min(begun, at(event)), Math.max(begun, at(event))];
  const select = ([from, to]) => frames.forEach(({plot}) => plot.setSelect(
    {left: from, width: to - from, top: 0, height: plot.over.clientHeight}, false));
  over.addEventListener('pointerdown', event => {
    if (event.button === 0) {
      begun = at(event);
      isMark = event.shiftKey;
      over.setPointerCapture(event.pointerId);
    }
  });
  over.addEventListener('pointermove', event => {
    if (begun !== null) {
      select(span(event));
    }
    if (event.pointerType !== 'mouse') {
      chart.setCursor({left: at(event), top: 10});
    }
  });
  over.addEventListener('pointerup', event => {
    if (begun === null) {
      return;
    }
    const [from, to] = span(event);
    begun = null;
    select([0, 0]);
    if (to - from >= DRAG_PIXELS_MIN) {
      const ends = [Math.floor(chart.posToVal(from, 'x')), Math.ceil(chart.posToVal(to, 'x'))];
      change(isMark || event.shiftKey ? {mark: ends} : {zoom: ends});
    } else if (state.mark) {
      change({mark: null});
    }
  });
  over.addEventListener('pointercancel', () => {
    begun = null;
    select([0, 0]);
  });
  over.addEventListener('dblclick', () => change({zoom: null}));
}

// The legend

let cursorSecond = null;

function followCursor(chart) {
  if (frames.length > 0 && (chart.cursor.event || chart.cursor.left >= 0 || frames[0].plot === chart)) {
    const left = chart.cursor.left;
    cursorSecond = left !== undefined && left >= 0 ? chart.posToVal(left, 'x') : null;
    legendSoon();
  }
}

function at(name, second) {
  const [xs, ys] = points(name);
  let found = null;
  for (let i = 0; i < xs.length && xs[i] <= second + step; i++) {
    if (ys[i] !== null) {
      found = i;
    }
    if (xs[i] >= second) {
      break;
    }
  }
  return found === null || second - xs[found] > GAP_STEPS * step ? null : ys[found];
}

/** How much a counter changed from one second to another, according to its samples. */
function moved(name, [from, to]) {
  const known = past.get(name);
  const all = [...(known?.seconds ?? []).map((second, i) => [second, known.values[i]]), ...(tails.get(name) ?? [])];
  let first = null;
  let last = null;
  for (const [second, value] of all) {
    if (second <= from || (first === null && second <= to)) {
      first = value;
    }
    if (second <= to) {
      last = value;
    }
  }
  return first === null ? null : Number(last - first);
}

function legend() {
  if (!parts) {
    return;
  }
  parts.details.open = state.legend === 'open';
  const span = state.mark ?? range();
  parts.rows.forEach(({name, cells}) => {
    const latest = list.latest(name);
    const [, ys] = points(name);
    const some = ys.filter(y => y !== null && y !== undefined);
    const isKept = past.get(name)?.isKept;
    text(cells.at, cursorSecond !== null ? numbers.number(at(name, cursorSecond))
      : state.unit === 'rate' ? numbers.number(latest?.rate ?? null)
      : latest ? numbers.value(latest.value) : '\u2013');
    text(cells.min, numbers.number(some.length ? Math.min(...some) : null));
    text(cells.max, numbers.number(some.length ? Math.max(...some) : null));
    text(cells.sum, numbers.number(moved(name, span)));
    text(cells.note, isKept === false ? 'no history kept' : '');
  });
  text(parts.when, cursorSecond !== null ? numbers.moment(cursorSecond) : 'now');
  text(parts.span, state.mark ? 'in the mark' : 'change');
  parts.span.title = state.mark ? `How much it changed in the marked ${numbers.duration(span[1] - span[0])}`
    : 'How much it changed in the range';
}

let isLegendDue = false;

function legendSoon() {
  if (!isLegendDue) {
    isLegendDue = true;
    requestAnimationFrame(() => {
      isLegendDue = false;
      legend();
    });
  }
}

function buildLegend() {
  const when = el('th', {scope: 'col', class: 'number'}, 'now');
  const span = el('th', {scope: 'col', class: 'number'}, 'change');
  const rows = state.lines.map(name => {
    const cells = {};
    for (const cell of ['at', 'min', 'max', 'sum']) {
      cells[cell] = el('td', {class: 'number'});
    }
    cells.note = el('span', {class: 'note'});
    const line = el('tr', {},
      el('th', {scope: 'row'}, el('span', {class: 'dot', 'data-line': state.lines.indexOf(name)}),
        el('span', {class: 'name', title: name}, ...nameNodes(name)), cells.note),
      cells.at, cells.min, cells.max, cells.sum,
      el('td', {class: 'acts'},
        el('button', {type: 'button', class: 'quiet', 'aria-label': 'Explain ' + name, title: 'Where this value comes from (e)',
          onclick: () => change({drawer: 'explain', counter: name})}, 'Explain'),
        el('button', {type: 'button', class: 'quiet', 'aria-label': 'Remove from the graph: ' + name,
          title: 'Remove from the graph', onclick: () => list.toggleLine(name)}, '\u00d7')));
    return {name, cells, line};
  });
  const details = el('details', {open: state.legend === 'open'},
    el('summary', {}, state.lines.length === 1 ? '1 counter' : state.lines.length + ' counters'),
    el('table', {},
      el('thead', {}, el('tr', {}, el('th', {scope: 'col'}, 'Counter'), when,
        el('th', {scope: 'col', class: 'number'}, 'min'), el('th', {scope: 'col', class: 'number'}, 'max'), span,
        el('th', {scope: 'col'}, el('span', {class: 'unseen'}, 'Actions')))),
      el('tbody', {}, ...rows.map(row => row.line))));
  const files = el('span', {class: 'export'}, 'Export',
    el('button', {type: 'button', class: 'link', onclick: () => save('csv')}, 'CSV'),
    el('button', {type: 'button', class: 'link', onclick: () => save('json')}, 'JSON'));
  details.querySelector('summary').addEventListener('click', event => {
    event.preventDefault();
    change({legend: details.open ? 'closed' : 'open'}, false);
  });
  parts = {when, span, rows, details};
  return el('div', {class: 'legend'}, details, files);
}

// Tools

function choice(title, name, some) {
  return el('div', {class: 'choice', role: 'group', 'aria-label': title}, ...some.map(([key, shown, tip]) =>
    el('button', {type: 'button', title: tip, 'data-set': `${name}=${key}`,
      onclick: () => change(name === 'range' ? {range: key, zoom: null} : {[name]: key})}, shown)));
}

let note = null;

function buildTools() {
  note = el('span', {class: 'state', role: 'status'});
  return el('div', {class: 'tools'},
    choice('Range', 'range', Object.keys(RANGES).map(key => [key, key, null])),
    choice('Unit', 'unit', [['rate', 'Rate', 'Increments a second (v)'], ['value', 'Value', 'Values (v)']]),
    choice('Charts', 'charts', [['one', 'Together', 'All in one chart (t)'], ['each', 'Side by side', 'A chart for each (t)']]),
    el('button', {type: 'button', class: 'unzoom', onclick: () => change({zoom: null}), title: 'Back to the latest (z)'}, 'Reset zoom'),
    note,
    el('button', {type: 'button', class: 'quiet', 'aria-label': 'Close the graph', title: 'Close the graph (x)',
      onclick: () => change({lines: [], zoom: null, mark: null})}, '\u00d7'));
}

function status() {
  if (!note) {
    return;
  }
  const isUnkept = state.lines.length > 0 && state.lines.every(name => past.get(name)?.isKept === false);
  text(note, failure ? 'The history cannot be read: ' + failure
    : isUnkept ? 'This counter has no history; its line begins now'
    : state.zoom ? `${numbers.time(state.zoom[0])} \u2013 ${numbers.time(state.zoom[1])}` : '');
  note.classList.toggle('bad', failure !== '');
  section.classList.toggle('reading', isLoading);
  section.querySelectorAll('[data-set]').forEach(button => {
    const [name, key] = button.dataset.set.split('=');
    button.setAttribute('aria-pressed', state[name] === key && !(name === 'range' && state.zoom));
  });
  section.querySelector('.unzoom').hidden = !state.zoom;
}

/** Saves what the charts show, with all digits. */
function save(format) {
  const data = table(state.lines, exactPoints);
  const [from, to] = range();
  const at = data[0].map((second, i) => i).filter(i => data[0][i] >= from && data[0][i] <= to);
  if (format === 'csv') {
    const lines = at.map(i => [data[0][i], ...state.lines.map((name, n) => data[n + 1][i] ?? '')].join(','));
    download('counters-graph.csv', 'text/csv',
      ['second,' + state.lines.map(name => `"${name}"`).join(','), ...lines].join('\n') + '\n');
  } else {
    const counters = state.lines.map((name, n) => {
      const samples = at.filter(i => data[n + 1][i] != null).map(i => `[${data[0][i]}, ${data[n + 1][i]}]`);
      return `{"name": ${JSON.stringify(name)}, "samples": [${samples.join(', ')}]}`;
    });
    download('counters-graph.json', 'application/json',
      `{"unit": "${state.unit}", "from": ${from}, "to": ${to}, "counters": [\n${counters.join(',\n')}\n]}\n`);
  }
}

// All charts

function build() {
  frames.forEach(({plot}) => plot.destroy());
  const groups = state.charts === 'each' ? state.lines.map(name => [name]) : [state.lines];
  const isWide = innerWidth > 900;
  const height = groups.length > 1 ? 150 : isWide ? Math.max(220, Math.min(380, section.clientHeight - 220)) : 190;
  const plots = el('div', {class: 'plots'});
  const focused = document.activeElement?.dataset.set;
  section.replaceChildren(buildTools(), plots, buildLegend());
  if (focused) {
    section.querySelector(`[data-set="${focused}"]`).focus();
  }
  frames = groups.map(names => {
    const frame = el('figure', {class: 'frame'});
    if (state.charts === 'each') {
      frame.append(el('figcaption', {}, el('span', {class: 'dot', 'data-line': state.lines.indexOf(names[0])}),
        el('span', {class: 'name'}, ...nameNodes(names[0]))));
    }
    plots.append(frame);
    const canvas = el('div', {role: 'img', 'aria-label': `Graph of the ${state.unit} of ${names.join(' and ')}`});
    frame.append(canvas);
    return {names, plot: new uPlot(options(names, height), table(names), canvas)};
  });
}

function draw() {
  if (state.lines.length === 0) {
    return;
  }
  frames.forEach(({names, plot}) => plot.setData(table(names), true));
  status();
  legend();
}

let isDrawDue = false;

function drawSoon() {
  if (!isDrawDue && state.lines.length > 0) {
    isDrawDue = true;
    requestAnimationFrame(() => {
      isDrawDue = false;
      draw();
    });
  }
}

function show(isNew) {
  const wanted = [state.lines.join(), state.charts, state.lines.length > 0 && innerWidth > 900].join(' ');
  section.hidden = state.lines.length === 0;
  byId('main').classList.toggle('split', state.lines.length > 0);
  if (section.hidden) {
    frames.forEach(({plot}) => plot.destroy());
    frames = [];
    layout = '';
    parts = null;
    past.clear();
    tails.clear();
    clearTimeout(timer);
    section.replaceChildren();
    return;
  }
  if (wanted !== layout || isNew) {
    layout = wanted;
    build();
  }
  draw();
}

/** Follows the state. */
export function follow(after, before) {
  for (const known of [past, tails]) {
    [...known.keys()].filter(name => !after.lines.includes(name)).forEach(name => known.delete(name));
  }
  show(false);
  const isOther = after.lines.join() !== before.lines.join() || after.range !== before.range
    || String(after.zoom) !== String(before.zoom);
  if (isOther && after.lines.length > 0) {
    readSoon();
  }
}

/** Draws again, with other colors or another size. */
const again = debounced(80, () => state.lines.length > 0 && show(true));

export function start() {
  show(true);
  read();
  let last = 0;
  new ResizeObserver(() => {
    if (section.clientWidth !== last) {
      last = section.clientWidth;
      again();
    }
  }).observe(section);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', again);
  document.addEventListener('visibilitychange', () => document.hidden || readSoon());
  // Time passes even while nothing arrives.
  setInterval(() => document.hidden || state.zoom || drawSoon(), 1000);
}
