"""Counts with Debian's python3-statsd: python.py CLIENT TRANSPORT BUFFERED WHAT ADDRESS COUNTER"""

import contextlib
import sys
import time

import statsd

_, transport, buffered, what, address, counter = sys.argv[1:]
host, port = address.rsplit(":", 1)

client = (statsd.StatsClient if transport == "udp" else statsd.TCPStatsClient)(host, int(port))


def repeat(times, call):
    for done in range(0, times, 20):
        with client.pipeline() if buffered == "true" else contextlib.nullcontext(client) as batch:
            for _ in range(min(20, times - done)):
                call(batch)
        time.sleep(0.001)  # so that no socket buffer overflows


def others(batch):
    batch.gauge(counter, -12.5)  # two lines, because the sign of a gauge means a change
    batch.timing(counter, 3)
    batch.set(counter, "visitor")


if what == "plain":
    repeat(1000, lambda batch: batch.incr(counter))
    repeat(100, lambda batch: batch.incr(counter, 5))
elif what == "minus":
    repeat(500, lambda batch: batch.incr(counter, 3))
    repeat(500, lambda batch: batch.decr(counter))
elif what == "fractions":
    repeat(400, lambda batch: batch.incr(counter, 0.25))
elif what == "sampled":
    repeat(2000, lambda batch: batch.incr(counter, rate=0.75))
elif what == "tags":  # it does not support tags, so its users write them into the name in Graphite's form
    repeat(200, lambda batch: batch.incr(counter + ";env=prod;path=/users/{id};note=a+b c"))
elif what == "others":
    repeat(10, others)
client.close()
