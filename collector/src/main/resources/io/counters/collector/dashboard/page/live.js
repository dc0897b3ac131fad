// The connection to the collector: server-sent events about what is on the screen, and nothing else. While the tab is
// hidden there is no connection. When other rows are on the screen, the page opens a new one.
import {state} from './state.js';
import {debounced} from './dom.js';

const RETRY_MILLIS = 2000;
const NAMES_CHARACTERS_MAX = 6000;

const handlers = {rows: [], change: [], troubles: [], panel: [], connected: []};
let source = null;
let url = '';
let view = {from: 0, rows: 60};
let retry = 0;

export const on = (event, handler) => handlers[event].push(handler);
const tell = (event, data) => handlers[event].forEach(handler => handler(data));

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
  let room = NAMES_CHARACTERS_MAX;
  for (const name of watched()) {
    room -= encodeURIComponent(name).length + 6;
    if (room > 0) {
      given.append('name', name);
    }
  }
  if (state.drawer === 'health') {
    given.set('panel', '1');
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
  for (const event of ['rows', 'change', 'troubles', 'panel']) {
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
