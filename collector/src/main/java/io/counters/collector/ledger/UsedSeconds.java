package io.counters.collector.ledger;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * The seconds of Unix time that points were published for, in this run and all earlier ones. OpenTSDB fails on two
 * values for one second, so no second is used twice, whatever the wall clock does. Ticks come at regular intervals, so
 * the seconds are kept as runs. If the clock was a year ahead for a moment, that leaves a short run there, and no other
 * second is lost.
 *
 * <p>The number of runs is bounded: when there are {@value #RUNS_MAX}, the two with the smallest gap between them
 * become one in which every second counts as used. The ledger's lock protects it.
 */
final class UsedSeconds {
    static final int RUNS_MAX = 256;

    /** Ticks that are further apart than this belong to two runs: the clock has jumped, or the collector was down. */
    private static final long GAP_SECONDS_MAX = 3_600;

    /** Clocks of collectors that follow each other may differ by less than this. */
    private static final long OVERTAKEN_SECONDS_MAX = 60;

    /** The seconds from {@code first} to {@code last} in steps of {@code step}. */
    record Run(long first, long last, long step) {
        boolean has(long second) {
            return second >= first && second <= last && (second - first) % step == 0;
        }
    }

    private final List<Run> runs = new ArrayList<>();

    /** The run that the last second was added to. */
    private int current = -1;

    /** Whether a second was used that no commit contains. */
    private boolean isChanged;

    /** @param used by earlier runs of the program */
    UsedSeconds(List<Run> used) {
        runs.addAll(used);
    }

    /** Adds what another ledger used. */
    void addAll(UsedSeconds other) {
        List<Run> own = List.copyOf(runs);
        runs.clear();
        runs.addAll(other.runs);
        own.stream().filter(run -> !runs.contains(run)).forEach(runs::add);
        while (runs.size() > RUNS_MAX) {
            mergeTwo();
        }
        current = -1;
        isChanged = true;
    }

    List<Run> runs() {
        return List.copyOf(runs);
    }

    boolean isChanged() {
        return isChanged;
    }

    /** Takes all of them for a commit; null if it need not contain them. */
    @Nullable
    List<Run> takeChanged() {
        boolean wasChanged = isChanged;
        isChanged = false;
        return wasChanged ? runs() : null;
    }

    /** Called when what was taken did not reach the disk. */
    void putBack(@Nullable List<Run> taken) {
        isChanged |= taken != null;
    }

    /**
     * Uses the first free second, from the wanted one on.
     *
     * @param within how many seconds to try, including the wanted one
     * @return empty if all of them were used before
     */
    OptionalLong use(long wanted, long within) {
        for (long second = wanted; second < wanted + within; second++) {
            if (!isUsed(second)) {
                add(second);
                isChanged = true;
                return OptionalLong.of(second);
            }
        }
        return OptionalLong.empty();
    }

    /** Uses this second, unless it, or one within a minute after it, was used before. */
    OptionalLong useInOrder(long second) {
        return isOvertaken(second) ? OptionalLong.empty() : use(second, 1);
    }

    private boolean isUsed(long second) {
        for (Run run : runs) {
            if (run.has(second)) {
                return true;
            }
        }
        return false;
    }

    /** Whether a second within a minute after this one was used. */
    boolean isOvertaken(long second) {
        return isOvertaken(second, OVERTAKEN_SECONDS_MAX);
    }

    /** Whether one of so many seconds after this one was used. */
    boolean isOvertaken(long second, long within) {
        for (Run run : runs) {
            long next = second < run.first ? run.first : second + run.step - (second - run.first) % run.step;
            if (next <= run.last && next - second <= within) {
                return true;
            }
        }
        return false;
    }

    private void add(long second) {
        Run last = current < 0 ? null : runs.get(current);
        long gap = last == null ? 0 : second - last.last;
        boolean isAlone = last != null && last.first == last.last;
        if (last != null && gap > 0 && gap <= GAP_SECONDS_MAX && (isAlone || gap % last.step == 0)) {
            runs.set(current, new Run(last.first, second, isAlone ? gap : last.step));
            return;
        }
        if (runs.size() == RUNS_MAX) {
            mergeTwo();
        }
        runs.add(new Run(second, second, 1));
        current = runs.size() - 1;
    }

    private void mergeTwo() {
        runs.sort(Comparator.comparingLong(Run::first));
        int place = 1;
        for (int i = 2; i < runs.size(); i++) {
            if (gapBefore(i) < gapBefore(place)) {
                place = i;
            }
        }
        Run before = runs.get(place - 1);
        Run after = runs.remove(place);
        runs.set(place - 1, new Run(before.first, Math.max(before.last, after.last), 1));
    }

    private long gapBefore(int place) {
        return runs.get(place).first - runs.get(place - 1).last;
    }
}
