package io.counters.collector.ledger;

import io.counters.collector.Faults;
import io.counters.collector.Faults.Slot;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Map;
import java.util.SortedMap;

/**
 * The child process of {@link LedgerFaultsTest}: opens ledgers, converts older ones, restores backups, and commits to them while each call on a file fails in
 * turn. It ends with an exception if a value is wrong.
 */
public final class FaultyDisk {
    private static final String SENDER = "from 8f2c6a1e0b7d4c93a5e1f07b ";
    private static final int COUNTERS = 150;
    private static final int ROUNDS = 4;

    /** Copies of older ledgers are tried after one in this many calls, to be fast. */
    private static final int SEVERAL = 5;

    private final Faults faults;
    private final Path folder;
    private final int errno;
    private final int fails;

    private FaultyDisk(Faults faults, Path folder, int errno, int fails) {
        this.faults = faults;
        this.folder = folder;
        this.errno = errno;
        this.fails = fails;
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
        for (int fails : new int[] {1, 1000}) {
            int errno = fails == 1 ? Faults.EIO : Faults.ENOSPC;
            FaultyDisk disk = new FaultyDisk(faults, Files.createDirectory(folder.resolve("" + fails)), errno, fails);
            for (int call = 1; disk.commit(call); call++) {
                cases++;
            }
            for (int call = 1; disk.open(call); call++) {
                cases++;
            }
            for (int call = 1; disk.upgrade(call); call++) {
                cases++;
            }
            for (int call = 1; disk.restore(call); call++) {
                cases++;
            }
        }
        System.out.println(cases + " calls failed");
    }

    private boolean heal() {
        faults.set(Slot.CALLS_ERRNO, 0);
        return faults.get(Slot.CALLS_UNTIL_FAULT) <= 0;
    }

    /** All totals of the stream after this round, the newest counters first. */
    private static String datagram(int round) {
        StringBuilder lines = new StringBuilder(SENDER + round + " " + round);
        for (int counter = 0; counter < COUNTERS; counter++) {
            if (counter % ROUNDS <= round) {
                lines.append("\nincrement c" + counter + " " + round + " " + (round + 1) * 10);
            }
        }
        return lines.toString();
    }

    /** Commits four times; returns whether a call failed. */
    private boolean commit(int call) throws IOException {
        Path data = Files.createDirectory(folder.resolve("commit-" + call));
        boolean failed = false;
        try (KeptLedger kept = new KeptLedger(data, false)) {
            faults.failCalls(errno, call, fails);
            for (int round = 1; round <= ROUNDS; round++) {
                kept.datagram(datagram(round));
                boolean committed = kept.commit.run();
                failed = heal();
                long left = faults.get(Slot.CALLS_UNTIL_FAULT);
                if (round == 1 + call % ROUNDS) {
                    killed(data, round, committed, "call " + call + ", round " + round);
                }
                if (left > -fails) {
                    faults.set(Slot.CALLS_UNTIL_FAULT, left);
                    faults.set(Slot.CALLS_ERRNO, errno);
                }
            }
            heal();
            Faults.require(kept.commit.run(), "a commit failed on a working disk: " + kept.said.lines());
            check(kept.values(), ROUNDS, "in this run, call " + call);
        }
        exact(data, ROUNDS, "after the end, call " + call);
        return failed;
    }

    /** Checks that a kill at this moment leaves one complete commit. */
    private void killed(Path data, int round, boolean committed, String when) throws IOException {
        Path copy = copied(data, data.resolve("killed"));
        try (KeptLedger kept = opened(copy, when)) {
            SortedMap<String, Long> values = kept.values();
            int least = committed ? round : round - 1;
            for (Map.Entry<String, Long> value : values.entrySet()) {
                long rounds = value.getValue() / 10 - 1;
                Faults.require(rounds >= 0 && rounds <= round, when + ": " + value);
            }
            if (committed) {
                check(values, least, when);
            }
            long distinct = values.values().stream().distinct().count();
            Faults.require(distinct <= 1, when + ", values of two commits: " + values);
        }
        exact(copy, round, when);
    }

    /** Opens a ledger that a kill has left; returns whether a call failed. */
    private boolean open(int call) throws IOException {
        Path data = Files.createDirectory(folder.resolve("open-" + call));
        try (KeptLedger kept = new KeptLedger(data, false)) {
            kept.datagram(datagram(1));
            Faults.require(kept.commit.run(), "no commit");
            kept.datagram(datagram(2));
            Faults.require(kept.commit.run(), "no commit");
            Path copy = copied(data, data.resolve("killed"));
            faults.failCalls(errno, call, fails);
            try {
                opened(copy, "call " + call).close();
            } catch (IOException unusable) {
                Faults.require(
                        unusable.toString().matches("(?s).*(ledger|data folder|library).*"), "no reason: " + unusable);
            }
            boolean failed = heal();
            try (KeptLedger again = opened(copy, "call " + call)) {
                check(again.values(), 2, "opened again, call " + call);
            }
            exact(copy, 3, "opened, call " + call);
            return failed;
        }
    }

    /** Converts a ledger of format 2; returns whether a call failed. */
    private boolean upgrade(int call) throws IOException {
        Path data = Files.createDirectory(folder.resolve("upgrade-" + call));
        LedgerUpgradeTest.write("2", data);
        faults.failCalls(errno, call, fails);
        try {
            opened(data, "upgrade, call " + call).close();
        } catch (IOException unusable) {
            Faults.require(
                    unusable.toString().matches("(?s).*(ledger|data folder|library).*"), "no reason: " + unusable);
        }
        boolean failed = heal();
        Path copy = data.resolve("ledger.format-2.sqlite");
        if (Files.exists(copy) && call % SEVERAL == 0) {
            Path earlier = Files.createDirectory(data.resolve("earlier"));
            Files.copy(copy, earlier.resolve("ledger.sqlite"));
            upgraded(earlier, "the copy, call " + call);
        }
        upgraded(data, "upgraded, call " + call);
        Faults.require(Files.exists(copy), "no copy of the older format, call " + call);
        return failed;
    }

    /** Backs a ledger up, and restores the backup where a kill has left a later ledger; returns whether a call failed. */
    private boolean restore(int call) throws IOException {
        String when = "restore, call " + call;
        Path data = Files.createDirectory(folder.resolve("restore-" + call));
        Path backup = Files.createDirectory(data.resolve("backup"));
        Path lost = data.resolve("killed");
        boolean failed;
        try (KeptLedger kept = new KeptLedger(data, false)) {
            kept.datagram(datagram(1));
            Faults.require(kept.commit.run(), "no commit");
            LedgerBackup.write(data, backup.resolve("ledger.sqlite"));
            kept.datagram(datagram(2));
            Faults.require(kept.commit.run(), "no commit");
            copied(data, lost);
            String sum = RestoredFile.sum(backup.resolve("ledger.sqlite"));
            faults.failCalls(errno, call, fails);
            boolean isRestored = restored(backup, lost, sum);
            failed = heal();
            if (Files.exists(lost.resolve("ledger.restoring"))) {
                Faults.require(!isRestored, when + ": it has not ended");
                try (LedgerFile file = new LedgerFile(lost)) {
                    throw new IllegalStateException(when + ": a collector starts with " + file);
                } catch (IOException refused) {
                    Faults.require(String.valueOf(refused.getMessage()).contains("has not ended"), when + refused);
                }
            } else if (!isRestored && Files.exists(lost.resolve("ledger.replaced-1.sqlite"))) {
                between(copied(lost, data.resolve("between")), 1, when + ", the new one");
            } else if (!isRestored) {
                between(copied(lost, data.resolve("between")), 2, when + ", the old one");
            }
            Faults.require(isRestored || restored(backup, lost, sum), when + ": not restored on a working disk");
            try (KeptLedger again = opened(lost, when)) {
                check(again.values(), 1, when);
            }
            exact(lost, 3, when);
            return failed;
        }
    }

    private static void between(Path copy, int round, String when) throws IOException {
        try (KeptLedger kept = opened(copy, when)) {
            check(kept.values(), round, when);
        }
    }

    private static boolean restored(Path backup, Path lost, String sum) {
        try (FolderLock lock = new FolderLock(lost)) {
            LedgerBackup.restore(backup, lock, sum, () -> {});
            return true;
        } catch (IOException cannot) {
            return false;
        }
    }

    private static void upgraded(Path data, String when) throws IOException {
        try (KeptLedger kept = opened(data, when)) {
            kept.datagram(LedgerUpgradeTest.ORDERS);
            Faults.require(
                    kept.value("orders.placed") == 42 && kept.value("many.199") == 200,
                    when + ": " + kept.value("orders.placed"));
        }
    }

    /** Checks that the values are exact after the sender has repeated its totals. */
    private static void exact(Path data, int round, String when) throws IOException {
        try (KeptLedger kept = opened(data, when)) {
            kept.datagram(datagram(round));
            check(kept.values(), round, when);
        }
    }

    private static KeptLedger opened(Path data, String when) throws IOException {
        try {
            return new KeptLedger(data, false);
        } finally {
            Faults.require(
                    !Files.exists(data.resolve("ledger.damaged-1.sqlite")),
                    "an undamaged ledger was set aside, " + when);
        }
    }

    private static Path copied(Path data, Path copy) throws IOException {
        Files.createDirectories(copy);
        for (String part : new String[] {"", "-wal", "-shm"}) {
            Files.deleteIfExists(copy.resolve("ledger.sqlite" + part));
        }
        for (String part : new String[] {"", "-wal"}) {
            if (Files.exists(data.resolve("ledger.sqlite" + part))) {
                Files.copy(
                        data.resolve("ledger.sqlite" + part),
                        copy.resolve("ledger.sqlite" + part),
                        StandardCopyOption.REPLACE_EXISTING);
            }
        }
        return copy;
    }

    private static void check(SortedMap<String, Long> values, int round, String when) {
        for (int counter = 0; counter < COUNTERS; counter++) {
            long wanted = counter % ROUNDS <= round ? (round + 1) * 10 : 0;
            long value = values.getOrDefault("c" + counter, 0L);
            Faults.require(value == wanted, when + ": c" + counter + " is " + value + ", expected " + wanted);
        }
    }
}
