package io.counters.collector.simulate;

import io.counters.collector.ledger.LedgerSettings;
import io.counters.collector.ledger.PeerList;
import io.counters.collector.ledger.Snapshot;
import io.counters.emit.Transport;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;

/**
 * Runs one seed of collectors that share the names. Senders send to any of them. The list of peers changes, and each collector
 * reads the new one at a random time. Faults happen between collectors, too. A second of a counter must never be published
 * twice. At the end its owner, and the store that they share, must have all of its value.
 */
final class PeersWorld {
    private static final int COLLECTORS = 4;
    private static final long STEP_MILLIS = 1000;
    private static final int QUIET_SWEEPS = 140;
    private static final int DOWN_STEPS_MAX = 6;
    private static final int TICK_STEPS = 3;

    private final long seed;
    private final World.Plan plan;
    private final Consumer<String> diary;
    private final Random random;
    private final List<String> names = new ArrayList<>();
    private final List<SimulatedPeer> peers = new ArrayList<>();
    private final List<SimulatedSender> senders = new ArrayList<>();
    private final Network network;
    private final int[] owners;
    private final long[] counted;
    private final Map<String, String> published = new HashMap<>();
    private final List<String> wrong = new ArrayList<>();
    private PeerList list;
    private long volume;
    private long now = 1_700_000_000_000L;
    private int streams;
    private Odds odds;

    /** @param diary receives a line for each event */
    PeersWorld(long seed, World.Plan plan, Consumer<String> diary) {
        this.seed = seed;
        this.plan = plan;
        this.diary = diary;
        odds = plan.odds();
        random = new Random(seed);
        list = randomList(1);
        Map<String, Long> store = new HashMap<>();
        for (int i = 0; i < COLLECTORS; i++) {
            peers.add(new SimulatedPeer(
                    address(i),
                    list,
                    LedgerSettings.in(Path.of("simulated")),
                    () -> now,
                    this::id,
                    new SimulatedStore(random, store)));
        }
        network = new Network(random, peers, plan.sabotage().datagrams());
        for (int i = 0; i < plan.counters(); i++) {
            names.add("c" + i);
        }
        owners = random.ints(plan.counters(), 0, COLLECTORS).toArray();
        counted = new long[plan.counters()];
        for (int i = 0; i < plan.senders(); i++) {
            senders.add(newSender());
        }
    }

    private static String address(int collector) {
        return "collector" + collector + ":11212";
    }

    private String id() {
        return "stream-" + seed + "-" + "0".repeat(16) + streams++;
    }

    private PeerList randomList(long number) {
        List<PeerList.Peer> some = new ArrayList<>();
        List<String> out = new ArrayList<>();
        int one = random.nextInt(COLLECTORS);
        for (int i = 0; i < COLLECTORS; i++) {
            if (i == one || random.nextInt(3) > 0) {
                some.add(new PeerList.Peer(address(i), 1 + random.nextInt(3)));
            } else {
                out.add(address(i));
            }
        }
        return new PeerList(number, some, out, List.of());
    }

    private SimulatedSender newSender() {
        return new SimulatedSender(names, owners, COLLECTORS, true, () -> now, this::id);
    }

    World.Outcome run() {
        for (int step = 0; step < plan.sweeps() && wrong.isEmpty(); step++) {
            step(step);
        }
        rest();
        int exact = 0;
        long missed = 0;
        for (int i = 0; i < plan.counters(); i++) {
            long off = judge(i);
            exact += off == 0 ? 1 : 0;
            missed += Math.abs(off);
        }
        return new World.Outcome(seed, wrong, exact, volume, missed);
    }

    private void step(int step) {
        now += STEP_MILLIS;
        network.deliver(now, false);
        for (SimulatedPeer peer : peers) {
            peer.wake();
            if (random.nextDouble() < odds.crash()) {
                peer.crash(random.nextInt(DOWN_STEPS_MAX));
                say(step, peer.address() + " is killed");
            }
        }
        if (random.nextDouble() < odds.reshard()) {
            // Most new lists come long after the previous one has settled, some before all collectors have read it.
            list = randomList(list.number() + 1);
            say(step, "a new list: " + list);
        }
        for (SimulatedPeer peer : peers) {
            if (peer.list().number() < list.number() && random.nextInt(8) == 0) {
                peer.learn(list);
                say(step, peer.address() + " uses list " + list.number());
            }
        }
        if (random.nextInt(20) == 0) {
            owners[random.nextInt(owners.length)] = random.nextInt(COLLECTORS);
        }
        for (SimulatedSender sender : senders) {
            if (random.nextInt(3) == 0) {
                sender.learn(owners);
            }
            count(sender);
            sender.sweep(toPeers());
        }
        serve(true);
        if (step % TICK_STEPS == 0) {
            publish(step);
        }
    }

    private void count(SimulatedSender sender) {
        for (int i = random.nextInt(4); i > 0; i--) {
            int counter = random.nextInt(plan.counters());
            long amount = random.nextInt(3) == 0 ? -1 - random.nextInt(9) : 1 + random.nextInt(9);
            sender.add(counter, amount);
            counted[counter] += amount;
            volume += Math.abs(amount);
        }
    }

    private void serve(boolean faulty) {
        for (SimulatedPeer peer : peers) {
            peer.disk(faulty && random.nextInt(10) == 0);
            if (!peer.isDown() && (!faulty || random.nextInt(4) > 0)) {
                peer.commit();
            }
            if (!peer.isDown() && (!faulty || random.nextInt(4) > 0)) {
                peer.push(faulty);
            }
            if (!peer.isDown() && (!faulty || random.nextInt(4) > 0)) {
                peer.relay(this::way);
                if (random.nextDouble() < odds.crash() / 4) {
                    // Then neither what it took over nor what it sent to others is committed.
                    peer.crash(random.nextInt(DOWN_STEPS_MAX));
                }
            }
        }
    }

    private void publish(int step) {
        long second = now / 1000;
        for (SimulatedPeer peer : peers) {
            Snapshot points = peer.isDown() ? null : peer.publish(second);
            for (int i = 0; points != null && i < points.size(); i++) {
                String other = published.put(points.names()[i] + " at " + second, peer.address());
                if (other != null) {
                    wrong.add("step " + step + ": " + points.names()[i] + " is published by both " + other + " and "
                            + peer.address());
                }
            }
        }
    }

    /** Heals everything: all are up and use the same list, the network loses nothing, and every total is repeated. */
    private void rest() {
        odds = Odds.NONE;
        network.deliver(now, true);
        for (SimulatedPeer peer : peers) {
            if (plan.odds().crash() > 0) {
                peer.crash(0);
            }
            peer.learn(list);
        }
        for (int i = 0; i < QUIET_SWEEPS; i++) {
            now += STEP_MILLIS;
            senders.forEach(sender -> sender.sweep(toPeers()));
            network.deliver(now, true);
            serve(false);
        }
        published.clear();
        publish(plan.sweeps());
    }

    private Transport[] toPeers() {
        Transport[] transports = new Transport[COLLECTORS];
        for (int i = 0; i < COLLECTORS; i++) {
            transports[i] = way(address(i));
        }
        return transports;
    }

    private Transport way(String address) {
        int to = 0;
        while (!peers.get(to).address().equals(address)) {
            to++;
        }
        int place = to;
        return (bytes, length) -> {
            network.send(place, bytes, length, now, odds, false);
            return true;
        };
    }

    /** Checks that exactly one collector has the counter's whole value and publishes it, and the store; returns the error. */
    private long judge(int counter) {
        String name = names.get(counter);
        long value = 0;
        String owner = published.getOrDefault(name + " at " + now / 1000, "no collector");
        boolean isCounted = owner.equals("no collector") && counted[counter] == 0;
        for (SimulatedPeer peer : peers) {
            value += peer.value(name);
            if (peer.value(name) != 0 && !peer.address().equals(owner)) {
                wrong.add(name + " is " + peer.value(name) + " at " + peer.address() + " but published by " + owner);
            }
        }
        if (value != counted[counter]) {
            wrong.add(name + " should be " + counted[counter] + " but is " + value);
        } else if (owner.equals("no collector") && !isCounted) {
            wrong.add(name + " is not published by any collector");
        }
        Long stored = peers.get(0).stored(name);
        if ((stored == null ? 0 : stored) != value) {
            wrong.add(name + " is " + stored + " in the store but " + value + " in the ledgers");
        }
        return value - counted[counter];
    }

    private void say(int step, String what) {
        diary.accept("seed " + seed + " step " + step + ": " + what);
    }
}
