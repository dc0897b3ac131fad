package io.counters.agent;

import io.counters.agent.weave.Weaving;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * The agent's thread. It is created before {@code main}, so that it inherits nothing from the application. It starts the
 * emitter when counting begins, logs after a minute what was instrumented, and checks the
 * settings file for changes. If nothing is sent, it folds the cells instead. It ends when nothing is left to do.
 */
final class AgentThread extends Thread {
    private static final long REPORT_NANOS = TimeUnit.SECONDS.toNanos(60);
    private static final long LOOK_NANOS = TimeUnit.SECONDS.toNanos(5);

    /** What {@link #round} returns when nothing is left to do. */
    private static final long NEVER = -1;

    private final Weaving weaving;
    private final BridgeActivation counting;
    private final @Nullable LiveSettings live;
    private final LoadedClasses loaded;
    private final Log log;
    private final long reportAtNanos;
    private long lookAtNanos;
    private long foldAtNanos;
    private boolean sending;
    private boolean reported;

    /** @param live null if there is no settings file */
    AgentThread(
            Weaving weaving,
            BridgeActivation counting,
            LoadedClasses loaded,
            @Nullable LiveSettings live,
            Log log,
            long nowNanos) {
        super("counters-watch");
        this.weaving = weaving;
        this.counting = counting;
        this.loaded = loaded;
        this.live = live;
        this.log = log;
        this.reportAtNanos = nowNanos + REPORT_NANOS;
        this.lookAtNanos = nowNanos + LOOK_NANOS;
        this.foldAtNanos = nowNanos;
        setDaemon(true);
        setContextClassLoader(null);
        counting.wakes(this);
    }

    @Override
    public void run() {
        for (long wait = round(System.nanoTime()); wait != NEVER; wait = round(System.nanoTime())) {
            LockSupport.parkNanos(this, wait);
            // Some applications interrupt every thread; this one must continue.
            Thread.interrupted();
        }
    }

    /** Does the work that is due. Returns the time until the next call in nanoseconds, or {@link #NEVER}. */
    long round(long nowNanos) {
        try {
            if (!sending && counting.isOn()) {
                counting.send();
                sending = true;
                loaded.joinCopies();
                loaded.sayIfCacheIsUnused();
            }
            if (!reported && nowNanos - reportAtNanos >= 0) {
                reported = true;
                loaded.joinCopies();
                loaded.sayIfCacheIsUnused();
                log.accept("after a minute: " + weaving.summary()
                        + (counting.isOn() ? ", while counting: " + counting.suppressed() : "") + "; "
                        + counting.destination());
            }
            if (live != null && nowNanos - lookAtNanos >= 0) {
                lookAtNanos = nowNanos + LOOK_NANOS;
                live.look();
            }
            if (counting.foldMillis() > 0 && nowNanos - foldAtNanos >= 0) {
                foldAtNanos = nowNanos + TimeUnit.MILLISECONDS.toNanos(counting.foldMillis());
                counting.fold();
            }
        } catch (Throwable fault) {
            say(fault);
        }
        long next = reported ? Long.MAX_VALUE : reportAtNanos - nowNanos;
        if (counting.isOn() && !sending) {
            // The process could not create a thread for the emitter; try again.
            next = Math.min(next, LOOK_NANOS);
        }
        if (live != null) {
            next = Math.min(next, lookAtNanos - nowNanos);
        }
        if (counting.foldMillis() > 0) {
            next = Math.min(next, foldAtNanos - nowNanos);
        }
        return sending && next == Long.MAX_VALUE ? NEVER : Math.max(1, next);
    }

    private void say(Throwable fault) {
        try {
            log.accept("the agent's thread continues after an error: " + fault);
        } catch (Throwable notEvenThat) {
            // For example, there is no memory for the message; this thread must still continue.
            return;
        }
    }

    /** The shutdown hook. It may run before this thread has started the emitter. */
    Thread hook() {
        Thread hook = new LastSweep(counting, loaded);
        hook.setContextClassLoader(null);
        return hook;
    }

    private static final class LastSweep extends Thread {
        private final BridgeActivation counting;
        private final LoadedClasses loaded;

        LastSweep(BridgeActivation counting, LoadedClasses loaded) {
            super("counters-end");
            this.counting = counting;
            this.loaded = loaded;
        }

        @Override
        public void run() {
            try {
                try {
                    loaded.joinCopies();
                } finally {
                    counting.end();
                }
            } catch (Throwable fault) {
                // The JVM ends, so nothing can be logged.
                return;
            }
        }
    }
}
