// The list of counters: only the rows in view exist as elements, and only they and their neighbors are loaded. The
// collector searches and sorts, so a million counters cost the browser no more than a hundred.
import {state, change, LINES_MAX, PINS_MAX} from './state.js';
import {el, text, byId, nameNodes} from './dom.js';
import * as live from './live.js';
import * as sparklines from './sparklines.js';
import * as numbers from './numbers.js';

/** Rows are requested in blocks, so that tabs that show nearly the same rows share their events. */
const BLOCK = 20;
const AROUND = 30;
const KNOWN_MAX = 2000;
/** Browsers cannot scroll over more than some million pixels; in a longer list, one pixel stands for several. */
const HEIGHT_MAX = 8_000_000;
const COLUMNS = [['name', 'Counter'], ['', '10 minutes'], ['value', 'Value'], ['rate', 'Rate / s'], ['moved', 'Moved']];

const scroll = byId('scroll');
const space = byId('space');
const head = byId('head');
const pinned = byId('pinned');

/** What is known, by row of the list and by name of watched counters: {name, value, rate, moved}. */
const rows = new Map();
const watchedRows = new Map();
/** What each number in a change stands for. */
let places = [];
let found = 0;
let total = 0;
let rowHeight = 30;
let pool = [];
let pinRows = [];
/** The row that the keyboard has selected; below 0 for pinned ones: -1 is the last of them. */
let focus = 0;
let hasRows = false;

/** What is known of a counter on the screen; undefined if it is not there. */
export const latest = name => watchedRows.get(name);

export const counts = () => ({found, total, hasRows});

// Rows as elements

function newRow() {
  const swatch = el('button', {class: 'swatch', type: 'button', tabindex: -1});
  const name = el('span', {class: 'name', role: 'gridcell'});
  const canvas = el('canvas', {class: 'spark', role: 'img', 'aria-label': 'last ten minutes'});
  const value = el('span', {class: 'number value', role: 'gridcell'});
  const rate = el('span', {class: 'number rate', role: 'gridcell'});
  const moved = el('span', {class: 'number moved', role: 'gridcell'});
  const pin = el('button', {class: 'pin', type: 'button', tabindex: -1});
  const element = el('div', {class: 'row', role: 'row', tabindex: -1},
    el('span', {role: 'gridcell'}, swatch), name, el('span', {role: 'gridcell', class: 'sparkcell'}, canvas), value, rate,
    moved, el('span', {role: 'gridcell'}, pin));
  const row = {element, swatch, name, canvas, value, rate, moved, pin, place: null, shown: null, of: null};
  element.addEventListener('click', event => row.of && clicked(row, event));
  element.addEventListener('focus', () => focus = row.place ?? focus);
  return row;
}

function clicked(row, event) {
  focus = row.place;
  if (event.target === row.pin) {
    pin(row.of.name);
  } else if (event.target === row.swatch || event.ctrlKey || event.metaKey || event.shiftKey) {
    toggleLine(row.of.name);
  } else {
    drawOnly(row.of.name);
  }
}

export function pin(name) {
  const isPinned = state.pins.includes(name);
  change({pins: isPinned ? state.pins.filter(other => other !== name) : [...state.pins, name].slice(-PINS_MAX)}, false);
}

export function toggleLine(name) {
  const isDrawn = state.lines.includes(name);
  change({lines: isDrawn ? state.lines.filter(other => other !== name) : [...state.lines, name].slice(-LINES_MAX)});
}

export function drawOnly(name) {
  change({lines: state.lines.length === 1 && state.lines[0] === name ? [] : [name]});
}

function fill(row, of) {
  if (row.of?.name !== of?.name || row.of === null) {
    row.name.replaceChildren(...(of ? nameNodes(of.name) : []));
    row.name.title = of?.name ?? '';
    row.shown = null;
  }
  row.of = of ?? null;
  row.element.classList.toggle('loading', !of);
  if (!of) {
    text(row.value, '');
    row.element.classList.remove('flash');
    text(row.rate, '');
    text(row.moved, '');
    row.canvas.width = 0;
    row.element.classList.remove('moving');
    return;
  }
  if (row.shown !== of.value) {
    const isUpdate = Boolean(row.shown);
    // A pinned counter may not exist, or not be known yet.
    text(row.value, of.value ? numbers.value(of.value) : '\u2013');
    row.shown = of.value;
    if (isUpdate) {
      row.element.classList.remove('flash');
      requestAnimationFrame(() => row.element.classList.add('flash'));
    }
    row.isStale = true;
  }
  text(row.rate, numbers.rate(of.rate));
  row.element.classList.toggle('moving', Boolean(of.rate));
  text(row.moved, of.moved ? numbers.duration(live.now() - of.moved) : '');
  const line = state.lines.indexOf(of.name);
  const isPinned = state.pins.includes(of.name);
  row.swatch.dataset.line = line;
  row.swatch.setAttribute('aria-pressed', line >= 0);
  row.swatch.setAttribute('aria-label', (line >= 0 ? 'Remove from the graph: ' : 'Add to the graph: ') + of.name);
  row.swatch.title = line >= 0 ? 'Remove from the graph' : 'Add to the graph';
  row.element.classList.toggle('drawn', line >= 0);
  row.pin.setAttribute('aria-pressed', isPinned);
  row.pin.setAttribute('aria-label', (isPinned ? 'Unpin ' : 'Pin ') + of.name);
  row.pin.title = isPinned ? 'Unpin (p)' : 'Pin (p)';
}

function spark(row) {
  row.isStale = false;
  if (!row.of.value) {
    row.canvas.width = 0;
    return;
  }
  sparklines.draw(row.canvas, row.of.name, BigInt(row.of.value));
  const isKept = sparklines.isKept(row.of.name);
  row.canvas.title = isKept === false ? 'This counter has no history; its line began when you opened the page' : '';
}

// Which rows are in view

const height = () => found * rowHeight;
const spaceHeight = () => Math.min(height(), HEIGHT_MAX);

/** How many pixels of the list are above the visible part. */
function above() {
  const room = spaceHeight() - scroll.clientHeight;
  return room <= 0 ? 0 : Math.min(1, scroll.scrollTop / room) * Math.max(0, height() - scroll.clientHeight);
}

const visible = () => Math.ceil(scroll.clientHeight / rowHeight) + 1;

function draw() {
  const top = above();
  const first = Math.floor(top / rowHeight);
  const size = Math.min(visible(), Math.max(0, found - first));
  while (pool.length < size) {
    const row = newRow();
    pool.push(row);
    space.append(row.element);
  }
  const begin = scroll.scrollTop - (top - first * rowHeight);
  pool.forEach((row, i) => {
    row.element.hidden = i >= size;
    if (i >= size) {
      row.of = null;
      return;
    }
    const place = first + i;
    row.place = place;
    row.element.style.transform = `translateY(${Math.round(begin + i * rowHeight)}px)`;
    row.element.setAttribute('aria-rowindex', place + 2);
    row.element.tabIndex = place === focus ? 0 : -1;
    fill(row, rows.get(place));
  });
  drawPinned();
  drawSparks();
  want(first, size);
}

function drawPinned() {
  const shown = state.pins.map(name => watchedRows.get(name) ?? {name, rate: 0, moved: 0});
  while (pinRows.length < shown.length) {
    const row = newRow();
    pinRows.push(row);
    pinned.append(row.element);
  }
  pinRows.forEach((row, i) => {
    row.element.hidden = i >= shown.length;
    row.place = i - shown.length;
    row.element.tabIndex = row.place === focus ? 0 : -1;
    if (i < shown.length) {
      fill(row, shown[i]);
    } else {
      row.of = null;
    }
  });
}

function drawSparks() {
  const some = [...pool, ...pinRows].filter(row => row.of);
  sparklines.want(some.map(row => row.of.name));
  for (const row of some) {
    if (row.isStale || row.sparkOf !== row.of.name) {
      row.sparkOf = row.of.name;
      spark(row);
    }
  }
}

function redrawSparks() {
  [...pool, ...pinRows].forEach(row => row.isStale = true);
  drawSparks();
}

function want(first, size) {
  const from = Math.max(0, Math.floor((first - AROUND) / BLOCK) * BLOCK);
  live.look(from, Math.ceil((first + size + AROUND - from) / BLOCK) * BLOCK || BLOCK * 3);
}

let isDue = false;

/** Draws all changes soon, together. */
export function redraw() {
  if (!isDue) {
    isDue = true;
    requestAnimationFrame(() => {
      isDue = false;
      draw();
    });
  }
}

// What arrives

const known = (name, [value, rate, moved]) => ({name, value, rate, moved});

live.on('rows', data => {
  hasRows = true;
  if (data.total !== total) {
    total = data.total;
    tagsSoon();
  }
  found = data.found;
  const inList = data.rows.length - data.watched;
  for (const place of rows.keys()) {
    if (place >= found || rows.size > KNOWN_MAX) {
      rows.delete(place);
    }
  }
  watchedRows.clear();
  places = data.rows.map(([name, ...some], i) => {
    const of = known(name, some);
    if (i < inList) {
      rows.set(data.from + i, of);
    } else {
      watchedRows.set(name, of);
    }
    sparklines.add(name, BigInt(of.value));
    return of;
  });
  space.style.height = spaceHeight() + 'px';
  byId('grid').setAttribute('aria-rowcount', found + 1);
  const isFiltered = state.q.trim() !== '' || state.tags.length > 0;
  text(byId('count'), isFiltered
    ? `${numbers.count(found)} of ${numbers.count(total)} counters`
    : `${numbers.count(total)} ${total === 1 ? 'counter' : 'counters'}`);
  redraw();
});

live.on('change', changed => {
  for (const [place, value, rate, moved] of changed) {
    const of = places[place];
    if (of) {
      Object.assign(of, {value, rate, moved});
      sparklines.add(of.name, BigInt(value));
    }
  }
  redraw();
});

// Tags

/** Names may come and go all the time, and the collector looks at all of them to answer. */
const TAGS_MILLIS = 5000;

const tags = byId('tags');
/** By key: its drop-down. It stays the same element, so that it stays open and focused while it is used. */
const selects = new Map();
let knownTags = {};
let tagsTimer = 0;
let tagsAt = -Infinity;

async function readTags() {
  tagsTimer = 0;
  tagsAt = performance.now();
  try {
    knownTags = await live.ask('api/tags');
    drawTags();
  } catch {
    // They are read again when there are more counters.
  }
}

function tagsSoon() {
  tagsTimer ||= setTimeout(readTags, Math.max(300, tagsAt + TAGS_MILLIS - performance.now()));
}

function newSelect(key) {
  const select = el('select', {'aria-label': 'Tag ' + key});
  select.addEventListener('change', () => {
    const others = state.tags.filter(tag => !tag.startsWith(key + '='));
    change({tags: select.value ? [...others, `${key}=${select.value}`] : others}, false);
  });
  return select;
}

function drawTags() {
  const chosen = new Map(state.tags.map(tag => [tag.slice(0, tag.indexOf('=')), tag.slice(tag.indexOf('=') + 1)]));
  const keys = [...new Set([...Object.keys(knownTags), ...chosen.keys()])];
  for (const [key, select] of selects) {
    if (!keys.includes(key)) {
      select.remove();
      selects.delete(key);
    }
  }
  keys.forEach((key, i) => {
    const select = selects.get(key) ?? newSelect(key);
    selects.set(key, select);
    const value = chosen.get(key) ?? '';
    // The collector lists a limited number of values.
    const values = [...new Set(['', ...Object.keys(knownTags[key] ?? {}), value])];
    const all = values.join();
    if (select.all !== all && (document.activeElement !== select || !values.includes(select.value))) {
      select.all = all;
      select.replaceChildren(...values.map(some => el('option', {value: some}, some === '' ? key : `${key}=${some}`)));
    }
    if (select.value !== value) {
      select.value = value;
    }
    select.classList.toggle('chosen', value !== '');
    if (tags.children[i] !== select) {
      tags.insertBefore(select, tags.children[i] ?? null);
    }
  });
}

// Its head, and the keyboard

/** By what it sorts: the cell of the head, and its arrow. */
const heads = new Map();

function buildHead() {
  head.replaceChildren(el('span', {role: 'columnheader'}), ...COLUMNS.map(([sort, title]) => {
    const cell = el('span', {role: 'columnheader', class: sort === 'name' ? 'name' : sort ? 'number ' + sort : 'sparkcell'});
    if (sort) {
      const arrow = el('span', {class: 'arrow', 'aria-hidden': 'true'});
      cell.append(el('button', {type: 'button', onclick: () => sortBy(sort)}, title, arrow));
      heads.set(sort, {cell, arrow});
    } else {
      cell.append(title);
    }
    return cell;
  }), el('span', {role: 'columnheader'}));
}

function drawHead() {
  for (const [sort, {cell, arrow}] of heads) {
    const isSorted = state.sort === sort;
    const isUp = state.order === 'asc';
    text(arrow, isSorted ? (isUp ? '\u2191' : '\u2193') : '');
    if (isSorted) {
      cell.setAttribute('aria-sort', isUp ? 'ascending' : 'descending');
    } else {
      cell.removeAttribute('aria-sort');
    }
  }
}

function sortBy(sort) {
  const first = sort === 'name' ? 'asc' : 'desc';
  const order = state.sort !== sort ? first : state.order === 'asc' ? 'desc' : 'asc';
  change({sort, order}, false);
}

/** The counter that the keyboard has selected. */
function focused() {
  return (focus < 0 ? pinRows[focus + state.pins.length] : pool.find(row => row.place === focus && !row.element.hidden))?.of;
}

function moveTo(place) {
  focus = Math.max(-state.pins.length, Math.min(found - 1, place));
  if (focus >= 0) {
    const top = focus * rowHeight;
    const view = scroll.clientHeight;
    const now = above();
    const wanted = top < now ? top : top + rowHeight > now + view ? top + rowHeight - view : now;
    const room = height() - view;
    if (wanted !== now && room > 0) {
      scroll.scrollTop = wanted / room * (spaceHeight() - view);
    }
  }
  draw();
  [...pinRows, ...pool].find(row => row.place === focus && !row.element.hidden)?.element.focus({preventScroll: true});
}

/** Handles a key in the list; returns whether the key has a meaning there. */
export function key(event) {
  const page = visible() - 2;
  const moves = {ArrowDown: 1, ArrowUp: -1, j: 1, k: -1, PageDown: page, PageUp: -page};
  if (moves[event.key]) {
    moveTo(focus + moves[event.key]);
  } else if (event.key === 'Home') {
    moveTo(-state.pins.length);
  } else if (event.key === 'End') {
    moveTo(found - 1);
  } else {
    const of = focused();
    if (!of) {
      return false;
    }
    if (event.key === 'Enter') {
      drawOnly(of.name);
    } else if (event.key === ' ' || event.key === 'a') {
      toggleLine(of.name);
    } else if (event.key === 'p') {
      pin(of.name);
    } else if (event.key === 'e') {
      change({drawer: 'explain', counter: of.name});
    } else {
      return false;
    }
  }
  return true;
}

function measure() {
  const now = parseInt(getComputedStyle(byId('grid')).getPropertyValue('--row'), 10);
  rowHeight = now || rowHeight;
  byId('grid').style.setProperty('--scrollbar', scroll.offsetWidth - scroll.clientWidth + 'px');
  space.style.height = spaceHeight() + 'px';
  redrawSparks();
  redraw();
}

/** Follows the state. */
export function follow(now, before) {
  drawHead();
  drawTags();
  if (now.q !== before.q || now.tags.join() !== before.tags.join() || now.sort !== before.sort || now.order !== before.order) {
    rows.clear();
    scroll.scrollTop = 0;
    focus = 0;
    want(0, visible());
  }
  const files = live.query();
  for (const format of ['csv', 'json']) {
    files.set('format', format);
    byId(format).href = 'api/rows?' + files;
  }
  redraw();
}

export function start() {
  buildHead();
  follow(state, state);
  sparklines.recolor();
  sparklines.onPast(redrawSparks);
  scroll.addEventListener('scroll', redraw, {passive: true});
  new ResizeObserver(measure).observe(scroll);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
    sparklines.recolor();
    redrawSparks();
  });
  // "Moved ... ago" and the sparklines change even while nothing arrives.
  setInterval(() => document.hidden || redrawSparks() || redraw(), 5000);
}
