// What an empty collector shows: how to send the first increment.
import {el, byId} from './dom.js';
import * as live from './live.js';
import {counts} from './list.js';
import {state} from './state.js';

const welcome = byId('welcome');
const grid = byId('grid');
let isBuilt = false;

function example(title, note, code) {
  const copy = el('button', {type: 'button', class: 'copy'}, 'Copy');
  copy.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(code);
      copy.textContent = 'Copied';
    } catch {
      const range = document.createRange();
      range.selectNodeContents(block);
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      copy.textContent = 'Press Ctrl+C';
    }
    setTimeout(() => copy.textContent = 'Copy', 2000);
  });
  const block = el('code', {}, code);
  return el('li', {}, el('h3', {}, title), el('p', {}, note), el('div', {class: 'code'}, el('pre', {}, block), copy));
}

async function build() {
  isBuilt = true;
  let port = 11212;
  try {
    port = (await live.ask('api/page')).udpPort;
  } catch {
    // The default port is shown.
  }
  welcome.replaceChildren(
    el('h2', {}, 'Nothing has been counted yet'),
    el('p', {}, 'Send the first increment. It appears here within a second.'),
    el('ul', {},
      example('bash', 'Nothing to install.', `echo 'increment hello' >/dev/udp/127.0.0.1/${port}`),
      example('nc', 'From any shell.', `echo 'increment hello' | nc -u -w1 127.0.0.1 ${port}`),
      example('The agent', 'Start a Java service with it.',
        `java -javaagent:counters.jar=collector=127.0.0.1:${port},app=shop -jar service.jar`),
      example('@Count', 'Mark a method in a service that runs with the agent.',
        '@Count("orders.placed")\nReceipt place(Cart cart, Payment payment) {'),
      example('The API', 'Count an amount, with or without the agent.',
        'Counters.add("orders.cents,currency=eur", cents);')));
}

live.on('rows', () => {
  const {total, found} = counts();
  const isEmpty = total === 0;
  const isUnfound = !isEmpty && found === 0 && (state.q !== '' || state.tags.length > 0);
  welcome.hidden = !isEmpty;
  grid.hidden = isEmpty;
  grid.classList.toggle('unfound', isUnfound);
  if (isEmpty && !isBuilt) {
    build();
  }
});

export function start() {
  grid.append(el('p', {class: 'none'}, 'No counter matches the search and the chosen tags.'));
}
