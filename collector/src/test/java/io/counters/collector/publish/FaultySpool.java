package io.counters.collector.publish;

import io.counters.collector.Faults;
import io.counters.collector.Faults.Slot;
import io.counters.collector.ledger.Snapshot;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The child process of {@link SpoolFaultsTest}: it writes ticks, confirms them and makes room, while each call on a file
 * fails in turn. It ends with an exception if the spool's numbers and the disk do not agree.
 */
public final class FaultySpool {
    private static final int BLOCK = 4096;
    private static final int BLOCKS_MAX = 3;
    private static final int TICKS = 12;

    private final Faults faults;
    private final Path folder;
    private final TickPacker bodies =
            new TickPacker(new PutBodies(new Series("", List.of(new Series.Tag("src", "counters")))), 1024);
    private final Set<Long> lost = new TreeSet<>();
    private final Set<Long> confirmed = new TreeSet<>();

    private FaultySpool(Faults faults, Path folder) {
        this.faults = faults;
        this.folder = folder;
    }

    /**
     * Runs all cases.
     *
     * @param args the file of the slots, and a folder
     */
    public static void main(String[] args) throws IOException {
        Path folder = Path.of(args[1]);
        Faults faults = new Faults(Path.of(args[0]), folder);
        int cases = 0;
        for (int fails : new int[] {1, 4, 20, 1000}) {
            for (int call = 1; new FaultySpool(faults, folder.resolve(fails + "-" + call)).fails(call, fails); call++) {
                cases++;
            }
        }
        System.out.println(cases + " calls failed");
    }

    private boolean fails(int call, int fails) throws IOException {
        Spool spool = new Spool(folder, BLOCKS_MAX * BLOCK);
        faults.failCalls(Faults.EIO, call, fails);
        for (long second = 1; second <= TICKS; second++) {
            tick(spool, second);
            check(spool);
        }
        faults.set(Slot.CALLS_ERRNO, 0);
        boolean failed = faults.get(Slot.CALLS_UNTIL_FAULT) <= 0;
        tick(spool, TICKS + 1);
        check(spool);
        Faults.require(onDisk().equals(booked(spool)), "files of confirmed ticks stay on a sound disk: " + onDisk());
        Faults.require(!lost.contains(TICKS + 1L), "a tick is lost on a sound disk");
        Faults.require(
                booked(new Spool(folder, BLOCKS_MAX * BLOCK)).equals(booked(spool)),
                "after a restart it sends " + onDisk() + " and not " + booked(spool));
        return failed;
    }

    /** Like a sink; every third tick is confirmed after a while. */
    private void tick(Spool spool, long second) {
        shed(spool);
        try {
            spool.write(second, new Snapshot(new String[] {"a"}, new long[] {second}, 1), bodies);
        } catch (IOException noDisk) {
            lost.add(second);
        }
        shed(spool);
        for (TickFile tick : spool.ticks()) {
            if (tick.second() % 3 == 0 && tick.second() < second) {
                confirmed.add(tick.second());
                spool.remove(tick);
            }
        }
        spool.sweep();
    }

    private void shed(Spool spool) {
        for (TickFile tick = spool.excess(); tick != null && spool.drop(tick); tick = spool.excess()) {
            lost.add(tick.second());
        }
    }

    private void check(Spool spool) throws IOException {
        Set<Long> disk = onDisk();
        Set<Long> booked = booked(spool);
        Faults.require(disk.containsAll(booked), "in memory " + booked + ", on disk " + disk);
        Faults.require(disk.stream().noneMatch(lost::contains), "lost " + lost + ", disk " + disk);
        Set<Long> others = new TreeSet<>(disk);
        others.removeAll(booked);
        Faults.require(confirmed.containsAll(others), "on disk, but neither in memory nor confirmed: " + others);
        Faults.require(spool.bytes() == (long) disk.size() * BLOCK, spool.bytes() + " bytes, disk " + disk);
        Faults.require(disk.size() <= BLOCKS_MAX + 1, "more than the bound and the newest tick: " + disk);
    }

    private static Set<Long> booked(Spool spool) {
        return spool.ticks().stream().map(TickFile::second).collect(Collectors.toCollection(TreeSet::new));
    }

    private Set<Long> onDisk() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> name.contains(".tick."))
                    .map(name -> Long.parseLong(name.substring(0, name.indexOf('-'))))
                    .collect(Collectors.toCollection(TreeSet::new));
        }
    }
}
