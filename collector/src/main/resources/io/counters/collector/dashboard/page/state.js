// What the page shows. It is in the URL after '#', so that a link shows the same, and Back returns to the previous state.

/** Ranges of graphs, in seconds. */
export const RANGES = {'5m': 300, '15m': 900, '1h': 3600, '6h': 21_600, '24h': 86_400, '7d': 604_800, '30d': 2_592_000};

/** No moment is later: it is the collector's limit, and more would be no date. */
const SECOND_MAX = 99_999_999_999;

export const LINES_MAX = 12;
export const PINS_MAX = 12;
export const SEARCH_MAX = 200;

const SORTS = ['name', 'value', 'rate', 'moved'];
const listeners = [];

/** The current state. Only `change` changes it. */
export let state = read();

function read() {
  const given = new URLSearchParams(location.hash.slice(1));
  const pair = name => {
    const ends = (given.get(name) ?? '').split('-').map(Number);
    return ends.length === 2 && ends.every(end => end > 0 && end <= SECOND_MAX) && ends[0] < ends[1] ? ends : null;
  };
  const one = (name, some, absent) => some.includes(given.get(name)) ? given.get(name) : absent;
  const counter = given.get('counter');
  return {
    q: (given.get('q') ?? '').slice(0, SEARCH_MAX),
    tags: given.getAll('tag').filter(tag => tag.indexOf('=') > 0).slice(0, 16),
    sort: one('sort', SORTS, 'name'),
    order: one('order', ['asc', 'desc'], 'asc'),
    pins: [...new Set(given.getAll('pin'))].slice(0, PINS_MAX),
    lines: [...new Set(given.getAll('line'))].slice(0, LINES_MAX),
    unit: one('unit', ['rate', 'value'], 'rate'),
    charts: one('charts', ['one', 'each'], 'one'),
    range: one('range', Object.keys(RANGES), '15m'),
    zoom: pair('zoom'),
    mark: pair('mark'),
    legend: one('legend', ['open', 'closed'], 'open'),
    drawer: one('show', counter ? ['health', 'explain'] : ['health'], null),
    counter,
  };
}

function hash(some) {
  const given = new URLSearchParams();
  const put = (name, value, absent) => value && value !== absent && given.append(name, value);
  put('q', some.q);
  some.tags.forEach(tag => put('tag', tag));
  put('sort', some.sort, 'name');
  put('order', some.order, 'asc');
  some.pins.forEach(pin => put('pin', pin));
  some.lines.forEach(line => put('line', line));
  put('unit', some.unit, 'rate');
  put('charts', some.charts, 'one');
  put('range', some.range, '15m');
  put('zoom', some.zoom?.join('-'));
  put('mark', some.mark?.join('-'));
  put('legend', some.legend, 'open');
  put('show', some.drawer);
  put('counter', some.drawer === 'explain' ? some.counter : null);
  // Slashes, commas and equal signs need no escape here, and names are easier to read without.
  return '#' + given.toString().replace(/%2C/g, ',').replace(/%2F/g, '/').replace(/%3D/g, '=');
}

/**
 * Changes some properties, and calls the listeners.
 *
 * @param isStep whether Back returns to the previous state
 */
export function change(some, isStep = true) {
  const before = state;
  state = {...state, ...some};
  const now = hash(state);
  if (now !== hash(before)) {
    history[isStep ? 'pushState' : 'replaceState'](null, '', now === '#' ? location.pathname : now);
  }
  listeners.forEach(listener => listener(state, before));
}

/** Adds a listener, which is called with the new and the previous state at each change. */
export const onChange = listener => listeners.push(listener);

addEventListener('popstate', () => {
  const before = state;
  state = read();
  listeners.forEach(listener => listener(state, before));
});
