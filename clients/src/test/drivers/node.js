// Counts with a StatsD client from npm: node node.js CLIENT TRANSPORT BUFFERED WHAT ADDRESS COUNTER
const [client, transport, buffering, what, address, counter] = process.argv.slice(2);
const buffered = buffering === 'true';
const [host, port] = address.split(':');
const pause = (millis) => new Promise((resolve) => setTimeout(resolve, millis));

// DogStatsD clients add this ID to every line if the orchestrator sets it.
process.env.DD_ENTITY_ID = what === 'tags' ? '0b5c7a4e-51a2' : '';

function hotShots(options) {
  const StatsD = require('hot-shots');
  const statsd = new StatsD({
    ...(transport === 'unix' ? { protocol: 'uds', path: address } : { protocol: transport, host, port: Number(port) }),
    maxBufferSize: buffered ? 1400 : 0,
    globalTags: what === 'tags' ? { env: 'prod' } : undefined,
    errorHandler: () => {},
    ...options,
  });
  const tags = {
    url: 'http://shop:8080/cart', city: 'Zürich', path: '/users/{id}', note: 'a+b c', empty: '', env: 'test',
  };
  return {
    count: (value) => statsd.increment(counter, value),
    sampled: (rate) => statsd.increment(counter, 1, rate),
    tagged: () => statsd.increment(counter, 1, tags),
    others: () => {
      statsd.gauge(counter, 12.5);
      statsd.timing(counter, 3);
      statsd.histogram(counter, 4);
      statsd.set(counter, 'visitor');
    },
    end: () => new Promise((resolve) => statsd.close(resolve)),
  };
}

function nodeStatsd() {
  const StatsD = require('node-statsd');
  const statsd = new StatsD({ host, port: Number(port), global_tags: what === 'tags' ? ['env:prod'] : [] });
  const tags = ['url:http://shop:8080/cart', 'city:Zürich', 'path:/users/{id}', 'note:a+b c', 'empty:', 'canary'];
  return {
    count: (value) => statsd.increment(counter, value),
    sampled: (rate) => statsd.increment(counter, 1, rate),
    tagged: () => statsd.increment(counter, 1, tags),
    others: () => {
      statsd.gauge(counter, 12.5);
      statsd.timing(counter, 3);
      statsd.histogram(counter, 4);
      statsd.set(counter, 'visitor');
    },
    end: async () => {
      await pause(100);
      statsd.close();
    },
  };
}

function statsdClient() {
  const StatsD = require('statsd-client');
  const statsd = new StatsD({
    host,
    port: Number(port),
    tcp: transport === 'tcp',
    ...(buffered ? { socketTimeout: 50 } : { maxBufferSize: 0 }),
    tags: what === 'tags' ? { env: 'prod' } : undefined,
  });
  const tags = { url: 'http://shop:8080/cart', city: 'Zürich', path: '/users/{id}', note: 'a+b c', empty: '' };
  return {
    count: (value) => statsd.counter(counter, value),
    tagged: () => statsd.increment(counter, 1, tags),
    others: () => {
      statsd.gauge(counter, 12.5);
      statsd.gaugeDelta(counter, -1);
      statsd.timing(counter, 3);
      statsd.set(counter, 'visitor');
    },
    end: async () => {
      await pause(200); // on close, it discards its buffer
      statsd.close();
    },
  };
}

const clients = {
  'hot-shots': () => hotShots({}),
  'hot-shots telegraf': () => hotShots({ telegraf: true }),
  'hot-shots aggregated': () => hotShots({ aggregation: true }),
  'node-statsd': nodeStatsd,
  'statsd-client': statsdClient,
};

async function repeat(times, call) {
  for (let i = 0; i < times; i++) {
    call();
    if (i % (transport === 'unix' ? 5 : 20) === 0) {
      await pause(1); // so that no socket buffer overflows
    }
  }
}

(async () => {
  const statsd = clients[client]();
  switch (what) {
    case 'plain':
      await repeat(1000, () => statsd.count(1));
      await repeat(100, () => statsd.count(5));
      break;
    case 'minus':
      await repeat(500, () => statsd.count(3));
      await repeat(500, () => statsd.count(-1));
      break;
    case 'fractions':
      await repeat(400, () => statsd.count(0.25));
      break;
    case 'sampled':
      await repeat(2000, () => statsd.sampled(0.75));
      break;
    case 'tags':
      await repeat(200, () => statsd.tagged());
      break;
    case 'others':
      await repeat(10, () => statsd.others());
      break;
  }
  await statsd.end();
})();
