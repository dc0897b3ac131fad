// The connection to the collector: server-sent events about what is on the screen, and nothing else. While the tab is
// hidden there is no connection. When other rows are on the screen, the page opens a new one.
import {state} from './state.js';
import {debounced} from './dom.js';

const RETRY_MILLIS = 2000;
/** The collector takes no longer request lines than 8,192 bytes. */
const ADDRESS_CHARACTERS_MAX = 8000;
const NAMES_CHARACTERS_MAX = 6000;

/** Clocks that differ by less are taken as equal: the collector tells its seconds only. */
const CLOCK_SECONDS = 3;

const handlers = {rows: [], change: [], troubles: [], panel: [], now: [], clock: [], connected: []};
let source = null;
let url = '';
let view = {from: 0, rows: 60};
let retry = 0;
/** By how many seconds the collector's clock is ahead of the browser's. */
let ahead = 0;

export const on = (event, handler) => handlers[event].push(handler);
const tell = (event, data) => handlers[event].forEach(handler => handler(data));

/** The Unix second by the collector's clock, by which all its times are. */
export const now = () => Date.now() / 1000 + ahead;

on('now', second => {
  const by = second + 0.5 - Date.now() / 1000;
  const before = ahead;
  ahead = Math.abs(by) < CLOCK_SECONDS ? 0 : by;
  if (Math.abs(ahead - before) >= CLOCK_SECONDS) {
    tell('clock');
  }
});

/** The parameters of the list, which also select the rows of an exported file. */
export function query() {
  const given = new URLSearchParams();
  if (state.q.trim()) {
    given.set('q', state.q.trim());
  }
  state.tags.forEach(tag => given.append('tag', tag));
  return given;
}

/** The counters that are on the screen whatever the list shows: pinned or drawn. */
export const watched = () => [...new Set([...state.pins, ...state.lines])];

function address() {
  const given = query();
  given.set('sort', state.sort);
  given.set('order', state.order);
  given.set('from', view.from);
  given.set('rows', view.rows);
  if (state.drawer === 'health') {
    given.set('panel', '1');
  }
  let room = Math.min(NAMES_CHARACTERS_MAX, ADDRESS_CHARACTERS_MAX - given.toString().length);
  for (const name of watched()) {
    room -= encodeURIComponent(name).length + 6;
    if (room > 0) {
      given.append('name', name);
    }
  }
  return 'api/live?' + given;
}

function open() {
  clearTimeout(retry);
  const wanted = address();
  if (document.hidden || (source && wanted === url && source.readyState !== EventSource.CLOSED)) {
    return;
  }
  source?.close();
  url = wanted;
  const opened = new EventSource(url);
  source = opened;
  for (const event of ['rows', 'change', 'troubles', 'panel', 'now']) {
    opened.addEventListener(event, message => {
      if (source === opened) {
        tell('connected', true);
        tell(event, JSON.parse(message.data));
      }
    });
  }
  opened.addEventListener('open', () => source === opened && tell('connected', true));
  opened.addEventListener('error', () => {
    if (source === opened) {
      tell('connected', false);
      if (opened.readyState === EventSource.CLOSED) {
        clearTimeout(retry);
        retry = setTimeout(open, RETRY_MILLIS);
      }
    }
  });
}

function close() {
  clearTimeout(retry);
  source?.close();
  source = null;
}

const openSoon = debounced(40, open);

/** Sets which rows are on the screen. */
export function look(from, rows) {
  if (from !== view.from || rows !== view.rows) {
    view = {from, rows};
    openSoon();
  }
}

/** Follows the state. */
export const refresh = openSoon;

export function start() {
  document.addEventListener('visibilitychange', () => document.hidden ? close() : open());
  addEventListener('pagehide', close);
  addEventListener('pageshow', open);
  open();
}

/** Sends a request for anything but events; throws an error with the collector's message. */
export async function ask(path, body) {
  const answer = await fetch(path, body === undefined ? {} : {
    method: 'POST', headers: {'Content-Type': 'application/json'}, body: JSON.stringify(body)});
  if (!answer.ok) {
    const told = await answer.text();
    let message = told;
    try {
      message = JSON.parse(told).error.message;
    } catch {
      // It is plain text.
    }
    throw new Error(message.trim() || 'the collector answered ' + answer.status);
  }
  return JSON.parse(await answer.text(), exact);
}

/** In browsers that support it, keeps integers that a JavaScript number cannot hold as strings. */
const exact = (name, value, context) =>
  Number.isInteger(value) && !Number.isSafeInteger(value) && context?.source ? context.source : value;
