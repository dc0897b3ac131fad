// The health of the collector. A problem that needs attention is red, with its remedy; everything else is information.
import {state} from './state.js';
import {el, text, byId, patch} from './dom.js';
import * as live from './live.js';
import * as numbers from './numbers.js';

const button = byId('health');
const body = byId('drawer-body');

/** A loss that grew within this time is a problem; one that grew earlier is only shown as a number. */
const LATELY_MILLIS = 60_000;
const RATE_MILLIS = 5000;

/** By metric: the problem while it grows, and the remedy. */
const LOSSES = {
  intake_kernel_drops_total: ['The kernel drops datagrams', 'Raise net.core.rmem_max, or give the collector more CPU.'],
  intake_rejected_lines_total: ['Lines are rejected', 'Correct the sender; examples are below.'],
  intake_joined_counts_total: ['Lines have no line breaks between them', 'End each line with a line break in the sender.'],
  intake_refused_connections_total: ['TCP connections are refused', 'Raise --connections or ulimit -n.'],
  ledger_overflow_lines_total: ['There is no room for new names', 'Raise --names-memory or --new-names, or stop the flood of names.'],
  ledger_saturated_lines_total: ['Amounts are too large to add', 'Find the sender; the log names the counter.'],
  ledger_no_room_lines_total: ['There is no room for senders with totals', 'Raise --streams-memory.'],
  ledger_quarantined_streams_total: ['A sender\u2019s total jumped by more than 2^53', 'Find the forged or broken sender below.'],
  ledger_cloned_streams_total: ['Copies of one process send with the same ID', 'Restart the sender below that is marked \u201ccloned?\u201d.'],
  ledger_failed_commits_total: ['The ledger cannot be written', 'Free disk space, or repair the disk; the log gives the reason.'],
  store_refused_keys_total: ['The store refuses writes', 'See the log for the reason.'],
  store_foreign_values_total: ['Another program writes to keys of the collector', 'Stop the other writer, or use --prefix.'],
  publish_bad_points_total: ['A sink refuses points', 'The log shows a point and the reason.'],
  publish_lost_points_total: ['Points are lost', 'Free disk space, raise --spool, or repair the sink.'],
  log_dropped_lines_total: ['Log lines are lost', 'Check the program that reads stderr; it is too slow.'],
};

let troubles = [];
let losses = null;
/** By metric: when it last grew, and how much since the page was opened. */
const grown = new Map();
let isConnected = null;
let latest = null;
let earlier = [];

const plain = metric => metric.replace(/\{.*/, '');

function problems() {
  const some = troubles.map(trouble => [trouble, '']);
  for (const [metric, {at, by}] of grown) {
    if (Date.now() - at < LATELY_MILLIS) {
      const [what, remedy] = LOSSES[metric];
      some.push([`${what}: ${numbers.count(by)} lately.`, remedy]);
    }
  }
  return some;
}

live.on('connected', now => {
  isConnected = now;
  status();
});

live.on('troubles', data => {
  troubles = data.troubles;
  const sums = {};
  for (const [metric, value] of Object.entries(data.losses)) {
    sums[plain(metric)] = (sums[plain(metric)] ?? 0) + value;
  }
  if (losses) {
    for (const [metric, value] of Object.entries(sums)) {
      const by = value - (losses[metric] ?? 0);
      if (by > 0 && LOSSES[metric]) {
        grown.set(metric, {at: Date.now(), by: by + (grown.get(metric)?.by ?? 0)});
      }
    }
  }
  losses = sums;
  status();
});

live.on('panel', data => {
  for (const {lines, examples} of data.rejected) {
    const agoMillis = Math.min(...examples.map(example => example.secondsAgo)) * 1000;
    if (agoMillis < LATELY_MILLIS && !grown.has('intake_rejected_lines_total')) {
      // It grew before this page was opened.
      grown.set('intake_rejected_lines_total', {at: Date.now() - agoMillis, by: lines});
    }
  }
  status();
  latest = {at: performance.now(), ...data};
  earlier.push(latest);
  while (earlier.length > 2 && latest.at - earlier[1].at >= RATE_MILLIS) {
    earlier.shift();
  }
  draw();
});

function status() {
  const some = problems();
  const bad = isConnected === false ? 'No answer' : some.length === 0 ? null
    : some.length === 1 ? '1 problem' : some.length + ' problems';
  text(button, bad ?? (isConnected === null ? 'connecting' : 'Healthy'));
  button.className = 'pill ' + (bad ? 'bad' : isConnected ? 'good' : '');
  button.title = isConnected === false ? 'The collector does not answer; trying again' : 'Health of the collector (h)';
}

// The panel

const metric = name => latest.metrics[name] ?? 0;

function sum(prefix, from = latest) {
  return Object.entries(from.metrics).reduce((all, [name, value]) => plain(name) === prefix ? all + value : all, 0);
}

function perSecond(...names) {
  const first = earlier[0];
  if (latest === first) {
    return '\u2026';
  }
  const seconds = (latest.at - first.at) / 1000;
  const by = names.reduce((all, name) => all + sum(name) - sum(name, first), 0);
  return numbers.number(by / seconds) + ' / s';
}

const fact = (title, value, note, isBad) =>
  el('div', {class: isBad ? 'fact bad' : 'fact'}, el('dt', {}, title), el('dd', {}, value, note && el('small', {}, note)));

const lately = name => grown.has(name) && Date.now() - grown.get(name).at < LATELY_MILLIS;
const total = (title, name, note) => fact(title, numbers.count(sum(name)), note, lately(name));

function section(title, ...children) {
  return el('section', {}, el('h3', {}, title), ...children);
}

function spools() {
  return Object.keys(latest.metrics).filter(name => plain(name) === 'publish_spool_points').map(name => {
    const label = name.slice(name.indexOf('{'));
    const points = metric(name);
    return fact('Spool ' + label.replace(/^\{sink="|"\}$/g, ''), points === 0 ? 'empty'
      : `${numbers.count(points)} points, ${numbers.bytes(metric('publish_spool_bytes' + label))}`,
    points > 0 && `the oldest has waited ${numbers.duration(metric('publish_spool_oldest_seconds' + label))}`, false);
  });
}

function fleet() {
  if (latest.partitionsInAll === 0) {
    return [];
  }
  const owned = latest.fleet.filter(one => one.isSelf).reduce((all, one) => all + one.partitions, 0);
  return [section('Fleet',
    el('p', {class: 'muted'}, `This collector owns ${owned} of ${latest.partitionsInAll} partitions and shows their counters only.`
      + ' Its graphs reach back as far as the topic of ticks does; OpenTSDB and Prometheus have longer ranges.'),
    el('ul', {class: 'parts'}, ...latest.fleet.map(collector)))];
}

function collector({name, isSelf, partitions, ranges, page}) {
  return el('li', {}, el('b', {}, name), el('span', {title: ranges}, `${partitions} partitions`),
    el('p', {}, isSelf ? 'this one' : page.startsWith('http') ? el('a', {href: page}, page) : page));
}

function part({name, trouble, since}) {
  return el('li', {class: trouble ? 'bad' : 'good'},
    el('span', {class: 'lamp', 'aria-hidden': 'true'}), el('b', {}, name),
    el('span', {}, trouble ? 'down' : 'up', ` since ${numbers.moment(since)}`),
    trouble && el('p', {}, trouble));
}

function rejection({reason, rule, lines, examples}) {
  return el('li', {}, el('p', {}, el('b', {}, numbers.count(lines)), ' ', el('span', {class: 'mono'}, reason), el('br'),
    el('span', {class: 'muted'}, rule)),
  ...examples.map(({line, sender, secondsAgo}) => el('p', {class: 'example'},
    el('code', {}, line), el('small', {}, `${sender}, ${numbers.duration(secondsAgo)} ago`))));
}

function sender(one) {
  const marks = [one.split && 'split', one.quarantined && 'quarantined', one.cloned && 'cloned?', !one.whole && 'in doubt'].filter(Boolean);
  return el('tr', {},
    el('th', {scope: 'row'}, el('span', {class: 'mono', title: one.sender}, one.sender),
      ...marks.map(mark => el('span', {class: 'mark'}, mark))),
    el('td', {class: 'number'}, numbers.count(one.sent)),
    el('td', {class: one.lost > 0 ? 'number lost' : 'number'}, numbers.count(one.lost)),
    el('td', {class: 'number'}, numbers.count(one.healed)),
    el('td', {class: 'number'}, numbers.duration(one.quietSeconds)));
}

function draw() {
  if (state.drawer !== 'health' || !latest) {
    return;
  }
  const some = problems();
  patch(body,
    some.length === 0
      ? el('p', {class: 'fine'}, 'Nothing needs your attention.')
      : el('ul', {class: 'problems', role: 'alert'}, ...some.map(([what, remedy]) => el('li', {}, el('b', {}, what), remedy && ' ', remedy))),
    section('Receiving', el('dl', {class: 'tiles'},
      fact('Datagrams', perSecond('intake_datagrams_total', 'intake_unix_datagrams_total')),
      fact('Lines', perSecond('ledger_applied_lines_total', 'ledger_nothing_new_lines_total', 'intake_rejected_lines_total')),
      total('Rejected lines', 'intake_rejected_lines_total', 'since start'),
      total('Dropped by the kernel', 'intake_kernel_drops_total', 'since start'))),
    section('Datagrams with totals', el('dl', {class: 'tiles'},
      fact('Senders with totals', numbers.count(metric('ledger_streams'))),
      fact('Datagrams lost', numbers.count(metric('ledger_datagrams_lost')), 'of known senders'),
      fact('Counts healed', numbers.count(metric('ledger_healed_total')), 'since start'),
      fact('Amounts in doubt', numbers.count(metric('ledger_in_doubt_total')), 'since start'))),
    section('Store, sinks, disk', el('ul', {class: 'parts'}, ...latest.parts.map(part)), el('dl', {class: 'tiles'},
      fact('Disk space left', numbers.bytes(metric('disk_free_bytes'))),
      fact('Heap in use', numbers.bytes(metric('heap_bytes')), 'of ' + numbers.bytes(metric('heap_bytes_max'))),
      fact('Keys due in the store', numbers.count(metric('store_due_keys'))),
      fact('Points confirmed', numbers.count(sum('publish_points_total')), 'since start'),
      ...spools())),
    ...fleet(),
    section('Rejected lines', latest.rejected.length === 0 ? el('p', {class: 'muted'}, 'None since start.')
      : el('ul', {class: 'rejected'}, ...latest.rejected.map(rejection))),
    section('Senders', latest.senders.length === 0
      ? el('p', {class: 'muted'}, 'No sender with totals yet.')
      : el('div', {class: 'wide'}, el('table', {}, el('thead', {}, el('tr', {}, el('th', {scope: 'col'}, 'Sender'),
        ...['Sent', 'Lost', 'Healed', 'Heard'].map(title => el('th', {scope: 'col', class: 'number'}, title)))),
      el('tbody', {}, ...latest.senders.map(sender)))),
    latest.sendersInAll > latest.senders.length
      && el('p', {class: 'muted'}, `Those with the most lost datagrams, of ${numbers.count(latest.sendersInAll)}.`)));
}

export function show() {
  byId('drawer-title').textContent = 'Health of the collector';
  earlier = [];
  latest = null;
  body.replaceChildren(el('p', {class: 'muted'}, 'Loading'));
}

export function start() {
  status();
  setInterval(status, 5000);
}
