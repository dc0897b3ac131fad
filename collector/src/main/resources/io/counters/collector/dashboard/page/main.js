// Connects the parts of the page: the search, the keyboard, the drawer.
import {state, change, onChange, RANGES, SEARCH_MAX} from './state.js';
import {el, byId, debounced} from './dom.js';
import * as live from './live.js';
import * as list from './list.js';
import * as charts from './charts.js';
import * as panel from './panel.js';
import * as explain from './explain.js';
import * as welcome from './welcome.js';
import * as sparklines from './sparklines.js';

const search = byId('search');
search.maxLength = SEARCH_MAX;
const drawer = byId('drawer');
const shortcuts = byId('shortcuts');

const searched = debounced(60, () => change({q: search.value}, false));
search.addEventListener('input', searched);
search.addEventListener('keydown', event => {
  if (event.key === 'Escape') {
    // Not every browser clears it by itself.
    event.preventDefault();
    if (search.value === '') {
      search.blur();
    } else {
      search.value = '';
      searched();
    }
  } else if (event.key === 'ArrowDown' || event.key === 'Enter') {
    event.preventDefault();
    search.blur();
    list.key({key: 'Home'});
  }
});

// The drawer

function showDrawer() {
  drawer.hidden = !state.drawer;
  document.body.classList.toggle('drawn', Boolean(state.drawer));
  byId('health').setAttribute('aria-expanded', state.drawer === 'health');
  if (state.drawer === 'health') {
    panel.show();
  } else if (state.drawer === 'explain' && state.counter) {
    explain.show(state.counter);
  }
}

const closeDrawer = () => change({drawer: null, counter: null});
byId('drawer-close').addEventListener('click', closeDrawer);
byId('health').addEventListener('click', () => change({drawer: state.drawer === 'health' ? null : 'health'}));

// Shortcuts

const KEYS = [
  ['/', 'search'],
  ['\u2191 \u2193 j k', 'move in the list'],
  ['Enter', 'draw only this counter'],
  ['Space', 'add it to the graph, or remove it'],
  ['p', 'pin it, or unpin it'],
  ['e', 'explain it: where its value comes from'],
  ['1 \u2026 7', 'range: 5 minutes to 30 days'],
  ['v', 'rate or value'],
  ['t', 'together or side by side'],
  ['l', 'fold the legend'],
  ['z', 'reset the zoom'],
  ['x', 'close the graph'],
  ['h', 'health of the collector'],
  ['Esc', 'close what is open'],
  ['drag', 'zoom; with Shift, mark a span'],
];

shortcuts.append(
  el('h2', {id: 'shortcuts-title'}, 'Keyboard shortcuts'),
  el('dl', {}, ...KEYS.flatMap(([keys, what]) => [el('dt', {}, ...keys.split(' ').map(key => el('kbd', {}, key))), el('dd', {}, what)])),
  el('button', {type: 'button', onclick: () => shortcuts.close()}, 'Close'));
byId('help').addEventListener('click', () => shortcuts.showModal());

const SCROLLING = ['ArrowUp', 'ArrowDown', 'PageUp', 'PageDown', 'Home', 'End'];

function close() {
  if (state.drawer) {
    closeDrawer();
  } else if (state.q || state.tags.length > 0) {
    change({q: '', tags: []}, false);
  } else if (state.zoom || state.mark) {
    change({zoom: null, mark: null});
  }
}

function key(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || shortcuts.open) {
    return false;
  }
  const hasGraph = state.lines.length > 0;
  const keys = {
    '/': () => search.select(),
    '?': () => shortcuts.showModal(),
    h: () => change({drawer: state.drawer === 'health' ? null : 'health'}),
    Escape: close,
    ...(hasGraph && {
      v: () => change({unit: state.unit === 'rate' ? 'value' : 'rate'}),
      t: () => change({charts: state.charts === 'one' ? 'each' : 'one'}),
      l: () => byId('charts').querySelector('.legend summary').click(),
      z: () => change({zoom: null}),
      x: () => change({lines: [], zoom: null, mark: null}),
    }),
  };
  const range = hasGraph && Object.keys(RANGES)[Number(event.key) - 1];
  if (keys[event.key]) {
    keys[event.key]();
  } else if (range) {
    change({range, zoom: null});
  } else {
    return list.key(event);
  }
  return true;
}

document.addEventListener('keydown', event => {
  const target = event.target;
  if (target.matches('input, select, textarea')) {
    return;
  }
  // What is open at the right scrolls by the keyboard, too.
  if (drawer.contains(target) && SCROLLING.includes(event.key)) {
    return;
  }
  const isPress = event.key === ' ' || event.key === 'Enter';
  if (isPress && target.matches('button, a, summary')) {
    return;
  }
  if (key(event)) {
    event.preventDefault();
  }
});

// Changes of the state

onChange((now, before) => {
  if (document.activeElement !== search) {
    search.value = now.q;
  }
  live.refresh();
  list.follow(now, before);
  charts.follow(now, before);
  if (now.drawer !== before.drawer || now.counter !== before.counter) {
    showDrawer();
  }
});

let wasHidden = false;
document.addEventListener('visibilitychange', () => {
  // Nothing arrived while the tab was hidden, so the lines are read again.
  if (wasHidden && !document.hidden) {
    sparklines.forget();
    list.redraw();
  }
  wasHidden = document.hidden;
});

search.value = state.q;
panel.start();
welcome.start();
list.start();
charts.start();
showDrawer();
live.start();
