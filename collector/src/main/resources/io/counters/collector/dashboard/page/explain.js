// Where the value of one counter comes from.
import {el, byId, nameNodes} from './dom.js';
import * as live from './live.js';
import * as numbers from './numbers.js';
import {state} from './state.js';

const body = byId('drawer-body');
let shown = 0;

const fact = (title, ...some) => [el('dt', {}, title), el('dd', {}, ...some)];
const seen = second => second ? numbers.moment(second) : 'not known';

function sender(part) {
  const marks = [
    !part.whole && ['in doubt', 'Part of what it sent may have been counted before and forgotten, so its first total was not applied'],
    part.quarantined && ['quarantined', 'A total jumped by more than 2^53, so only its amounts count'],
  ].filter(Boolean);
  return el('tr', {},
    el('th', {scope: 'row'}, el('span', {class: 'mono'}, part.sender),
      ...marks.map(([mark, why]) => el('span', {class: 'mark', title: why}, mark))),
    el('td', {class: 'number'}, numbers.value(part.applied)),
    el('td', {class: 'number'}, numbers.duration(part.quiet_seconds)),
    el('td', {class: 'number'}, numbers.count(part.lost)),
    el('td', {class: 'number'}, numbers.count(part.healed)));
}

function draw(facts) {
  const parts = facts.senders;
  const fromSenders = BigInt(facts.value) - BigInt(facts.adopted) - BigInt(facts.rest);
  return [
    el('p', {class: 'big'}, numbers.value(facts.value)),
    el('dl', {class: 'facts'},
      ...fact('First seen', seen(facts.created)),
      ...fact('Last moved', seen(facts.moved)),
      ...fact('Senders with totals', numbers.value(fromSenders)),
      ...fact('Lines without totals', numbers.value(facts.rest), el('small', {}, ' and from forgotten senders')),
      ...fact('Adopted from the store', numbers.value(facts.adopted)),
      ...fact('Ever decremented', facts.decremented ? 'yes' : 'no')),
    el('h3', {}, 'Senders with totals'),
    parts.length === 0
      ? el('p', {class: 'muted'}, 'None. It was counted by lines without totals: StatsD, nc, or the proxy.')
      : el('div', {class: 'wide'}, el('table', {}, el('thead', {}, el('tr', {},
        el('th', {scope: 'col'}, 'Sender'), ...['Counted', 'Last heard', 'Lost', 'Healed'].map(title => el('th', {scope: 'col', class: 'number'}, title)))),
      el('tbody', {}, ...parts.map(sender)))),
    facts.senders_left_out > 0 && el('p', {class: 'muted'}, `${numbers.count(facts.senders_left_out)} more senders counted ${numbers.value(facts.applied_left_out)}.`),
    el('p', {class: 'muted'}, 'Lost datagrams and healed counts are those of the sender, for all of its counters. A lost datagram does not change a count once a later total arrives.'),
  ].filter(Boolean);
}

export async function show(name) {
  const ticket = ++shown;
  byId('drawer-title').replaceChildren(el('span', {class: 'name'}, ...nameNodes(name)));
  body.replaceChildren(el('p', {class: 'muted'}, 'Loading'));
  try {
    const facts = await live.ask('api/counters/' + encodeURIComponent(name) + '/explain');
    if (ticket === shown && state.drawer === 'explain') {
      body.replaceChildren(...draw(facts));
    }
  } catch (cannot) {
    if (ticket === shown && state.drawer === 'explain') {
      body.replaceChildren(el('p', {class: 'bad'}, 'This counter cannot be explained: ' + cannot.message));
    }
  }
}
