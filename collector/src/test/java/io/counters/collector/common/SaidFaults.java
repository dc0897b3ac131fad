package io.counters.collector.common;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Marker;
import org.slf4j.event.Level;
import org.slf4j.helpers.LegacyAbstractLogger;
import org.slf4j.helpers.MessageFormatter;

/** Keeps the messages of a log of faults instead of printing them; its clock stands still until it is advanced. */
public final class SaidFaults extends LegacyAbstractLogger {
    private static final long serialVersionUID = 1;

    private final transient List<String> lines = new CopyOnWriteArrayList<>();
    private final transient List<Throwable> thrown = new CopyOnWriteArrayList<>();
    private final transient AtomicLong nowNanos = new AtomicLong();

    /** A log of faults that logs here. */
    public FaultLog log() {
        return new FaultLog(this, nowNanos::get);
    }

    /** The messages, each with its level. */
    public List<String> lines() {
        return lines;
    }

    /** The errors that were logged with their stack traces. */
    public List<Throwable> thrown() {
        return thrown;
    }

    /** Advances the clock. */
    public void advance(Duration time) {
        nowNanos.addAndGet(time.toNanos());
    }

    @Override
    protected void handleNormalizedLoggingCall(
            Level level,
            @Nullable Marker marker,
            String pattern,
            Object @Nullable [] arguments,
            @Nullable Throwable fault) {
        lines.add(level + " " + MessageFormatter.basicArrayFormat(pattern, arguments));
        if (fault != null) {
            thrown.add(fault);
        }
    }

    @Override
    protected @Nullable String getFullyQualifiedCallerName() {
        return null;
    }

    @Override
    public boolean isTraceEnabled() {
        return false;
    }

    @Override
    public boolean isDebugEnabled() {
        return false;
    }

    @Override
    public boolean isInfoEnabled() {
        return true;
    }

    @Override
    public boolean isWarnEnabled() {
        return true;
    }

    @Override
    public boolean isErrorEnabled() {
        return true;
    }
}
