package io.counters.collector.history;

import java.util.ArrayList;
import java.util.List;

/**
 * Which ticks of one resolution took place, as runs of ticks at equal distances, and which of them are so old that they may
 * be deleted. Recorder's lock guards it.
 */
final class TickRuns {
    private static final long TRUSTED_SECONDS = 3_600;
    private static final long TRUSTED_TICKS_MIN = 12;

    private final int stepSeconds;
    private final long keepSeconds;
    private final List<Run> runs = new ArrayList<>();
    private final List<Run> changed = new ArrayList<>();

    /** Ticks from first to last, each a step after the one before. */
    record Run(long id, int era, long first, long last, long step) {}

    TickRuns(int stepSeconds, long keepSeconds) {
        this.stepSeconds = stepSeconds;
        this.keepSeconds = keepSeconds;
    }

    /**
     * Restores the runs of the file.
     *
     * @throws DamagedHistory if there are runs among them that {@link #add} does not make: a wrong last second, for example, would
     *     let {@link #expiry} delete everything
     */
    void restore(List<Run> earlier) {
        Run before = null;
        for (Run run : earlier) {
            long seconds = run.last - run.first;
            boolean isLater =
                    before == null || run.era > before.era || (run.era == before.era && run.first > before.last);
            if (run.step < 1 || run.first > run.last || seconds < 0 || seconds % run.step != 0 || !isLater) {
                throw new DamagedHistory("its times of ticks contradict each other");
            }
            before = run;
        }
        runs.addAll(earlier);
    }

    /** Adds a tick, later than all others of its era. */
    void add(int era, long second) {
        Run last = runs.isEmpty() ? null : runs.get(runs.size() - 1);
        if (last != null && last.era == era) {
            long distance = second - last.last;
            boolean isAlone = last.first == last.last;
            if (isAlone ? distance <= stepSeconds : distance == last.step) {
                Run longer = new Run(last.id, era, last.first, second, distance);
                runs.set(runs.size() - 1, longer);
                changed.add(longer);
                return;
            }
        }
        Run run = new Run(last == null ? 1 : last.id + 1, era, second, second, stepSeconds);
        runs.add(run);
        changed.add(run);
    }

    /** Runs that must be written again. */
    List<Run> changed() {
        return List.copyOf(changed);
    }

    /** Called when all of {@link #changed} is in the file. */
    void committed() {
        changed.clear();
    }

    /**
     * What is older than this second may be deleted; {@link Level#NEVER} if nothing is. A clock that is wrong for a moment must
     * not delete the past, so the time of a tick counts only after an hour of later ticks.
     */
    long expiry() {
        long ticks = Math.max(TRUSTED_TICKS_MIN, TRUSTED_SECONDS / stepSeconds);
        for (int i = runs.size() - 1; i >= 0; i--) {
            Run run = runs.get(i);
            long count = (run.last - run.first) / run.step + 1;
            if (ticks < count) {
                return run.last - ticks * run.step - keepSeconds;
            }
            ticks -= count;
        }
        return Level.NEVER;
    }

    /** Forgets the ticks before this second, whose blocks are deleted; returns the IDs of the runs that are gone. */
    List<Long> forget(long before) {
        List<Long> gone = new ArrayList<>();
        long last = runs.isEmpty() ? Level.NEVER : runs.get(runs.size() - 1).last;
        for (int i = runs.size() - 1; i >= 0; i--) {
            Run run = runs.get(i);
            boolean isGone = run.last < before || run.first > last + keepSeconds;
            if (isGone && i < runs.size() - 1) {
                gone.add(run.id);
                runs.remove(i);
                // It would be written again.
                changed.removeIf(same -> same.id == run.id);
            } else if (run.first < before && run.last >= before) {
                long steps = (before - run.first + run.step - 1) / run.step;
                Run shorter = new Run(run.id, run.era, run.first + steps * run.step, run.last, run.step);
                runs.set(i, shorter);
                changed.add(shorter);
            }
        }
        return gone;
    }

    /** The second of the first tick that is still there; {@link Long#MAX_VALUE} where there is none. */
    long firstSecond() {
        return runs.stream().mapToLong(Run::first).min().orElse(Long.MAX_VALUE);
    }

    /** The runs with a tick in this range, in the order of their eras. */
    List<Run> in(long from, long to) {
        return runs.stream().filter(run -> run.last >= from && run.first <= to).toList();
    }
}
