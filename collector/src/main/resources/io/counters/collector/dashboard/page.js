const rows = document.getElementById('rows'), state = document.getElementById('state');
const streams = document.getElementById('streams'), loss = document.getElementById('loss');
const rejected = document.getElementById('rejected'), reasons = document.getElementById('reasons');
const points = document.getElementById('points');
let before = new Map(), beforeAt = 0;
function fill(row, texts) {
  texts.forEach((text, i) => {
    const cell = row.insertCell();
    cell.textContent = text;
    cell.className = i ? 'number' : '';
  });
  return row;
}
async function lookAtStreams() {
  const all = await (await fetch('api/streams')).json();
  const sum = key => all.reduce((total, stream) => total + stream[key], 0);
  loss.textContent = all.length ? sum('sent') + ' datagrams sent, ' + sum('lost') + ' lost on the way, '
    + sum('repeated') + ' came twice; ' + sum('healed') + ' counts healed'
    + (all.length > 20 ? '; 20 of ' + all.length + ' senders are shown, those that miss most' : '')
    : 'no sender with totals yet';
  streams.replaceChildren(...all.slice(0, 20).map(stream => fill(document.createElement('tr'), [
    stream.sender + (stream.split ? ' (split?)' : '') + (stream.quarantined ? ' (in quarantine)' : ''),
    stream.sent, stream.lost, stream.healed])));
}
async function lookAtRejected() {
  const all = await (await fetch('api/rejected')).json();
  reasons.textContent = all.length ? 'the latest line of each of the senders that were heard last, by reason' : 'none';
  rejected.replaceChildren(...all.flatMap(reason => {
    const head = document.createElement('tr');
    const cell = head.insertCell();
    cell.colSpan = 4;
    cell.textContent = reason.reason + ', ' + reason.lines + ' lines: ' + reason.rule;
    return [head, ...reason.examples.map(example => {
      const row = fill(document.createElement('tr'),
        ['\u2003' + example.line, example.sender, example.lines, example.seconds_ago]);
      row.cells[1].className = '';
      return row;
    })];
  }));
}
async function lookAtPoints() {
  const own = new Map([...(await (await fetch('metrics')).text())
    .matchAll(/^counters_(\S+) (-?\d+)$/gm)].map(m => [m[1], Number(m[2])]));
  const said = [own.get('publish_points_total') + ' confirmed'];
  for (const [name, waiting] of own) {
    const sink = /^publish_spool_points(\{sink="([^"]+)"\})$/.exec(name);
    if (sink && waiting) {
      said.push(waiting + ' wait in the spool for ' + sink[2] + ', the oldest for '
        + own.get('publish_spool_oldest_seconds' + sink[1]) + ' s, and are replayed at '
        + own.get('publish_replay_points_per_second' + sink[1]) + ' a second');
    }
  }
  const add = (name, text) => own.get(name) && said.push(own.get(name) + text);
  add('publish_bad_points_total', ' refused for good');
  add('publish_lost_points_total', ' lost');
  add('store_due_keys', ' keys are on their way to the store');
  add('peers_awaited', ' peers are waited for, by list ' + own.get('peers_list'));
  points.textContent = said.join('; ');
}
async function look() {
  try {
    // Values are kept as text: they may be larger than a JavaScript number holds.
    const text = await (await fetch('api/counters')).text();
    const now = new Map([...text.matchAll(/"name": "([^"]+)", "value": (-?\d+)/g)].map(m => [m[1], m[2]]));
    const at = performance.now();
    const seconds = (at - beforeAt) / 1000;
    rows.replaceChildren(...[...now].map(([name, value]) => {
      const row = document.createElement('tr');
      const step = before.has(name) ? BigInt(value) - BigInt(before.get(name)) : 0n;
      const rate = step === 0n ? '' : (Number(step) / seconds).toFixed(1);
      fill(row, [name, value, rate]);
      row.className = step === 0n ? '' : 'moved';
      return row;
    }));
    const count = now.size;
    state.textContent = count ? count + (count === 1 ? ' counter' : ' counters') + ', once a second'
      : 'nothing has been counted yet; the line that the collector printed at its start tells how to send the first count';
    before = now;
    beforeAt = at;
    await lookAtPoints();
    await lookAtStreams();
    await lookAtRejected();
  } catch (gone) {
    state.textContent = 'the collector does not answer; trying again';
  }
  setTimeout(look, 1000);
}
look();
