package io.counters.collector.self;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Marker;
import org.slf4j.event.Level;
import org.slf4j.helpers.LegacyAbstractLogger;
import org.slf4j.helpers.MessageFormatter;

/** Keeps what a log of faults says, in place of a console; its clock stands still until it is set. */
public final class SaidFaults extends LegacyAbstractLogger {
    private static final long serialVersionUID = 1;

    private final transient List<String> lines = new CopyOnWriteArrayList<>();
    private final transient List<Throwable> thrown = new CopyOnWriteArrayList<>();
    private final transient AtomicLong nowNanos = new AtomicLong();

    /** A log of faults that speaks here. */
    public FaultLog log() {
        return new FaultLog(this, nowNanos::get);
    }

    /** What was said, each with its level. */
    public List<String> lines() {
        return lines;
    }

    /** What was logged with its stack trace. */
    public List<Throwable> thrown() {
        return thrown;
    }

    /** Lets so much time pass. */
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
