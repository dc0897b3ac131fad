package io.counters.collector.self;

import java.util.concurrent.locks.LockSupport;
import org.slf4j.LoggerFactory;

/**
 * Makes this program's threads, and ends the process with status {@value #EXIT_BROKEN} as soon as one of them fails or ends
 * before its time: half a collector is worse than none, and whatever supervises it starts it again.
 *
 * <p>The end must not need what has run out. At an {@link OutOfMemoryError} the log may fail or hang, so a thread that was
 * started long before halts the process, without allocating, a second after it is woken. For any thread.
 */
public final class Threads implements Thread.UncaughtExceptionHandler {
    /** The exit status after a thread failed. */
    public static final int EXIT_BROKEN = 3;

    private static final long LAST_WORDS_MILLIS = 1_000;
    private static final long LAST_WORDS_NANOS = 1_000_000_000;

    /** Looked up now: to find a class takes memory, and so does a call that is the first of its kind. */
    private static final Runtime JVM = Runtime.getRuntime();

    private final Thread halter;
    private volatile boolean failed;
    private volatile boolean ending;

    public Threads() {
        prepareToHalt();
        halter = new Thread(this::haltOnceFailed, "counters-halt");
        halter.setDaemon(true);
        halter.start();
    }

    /** Loads what halting needs: without memory it would be too late. */
    private static void prepareToHalt() {
        try {
            Class.forName("java.lang.Shutdown");
            Class.forName("java.lang.Shutdown$Lock");
        } catch (ClassNotFoundException otherJdk) {
            // It halts in another way.
        }
    }

    private void haltOnceFailed() {
        while (!failed) {
            LockSupport.park();
        }
        LockSupport.parkNanos(LAST_WORDS_NANOS);
        JVM.halt(EXIT_BROKEN);
    }

    /** A thread that does not keep the program running; not started yet. */
    public Thread daemon(String name, Runnable work) {
        Thread thread = foreground(name, work);
        thread.setDaemon(true);
        return thread;
    }

    /** The same, of a pool or a loop that somebody else ends: it may end at any time, and only must not fail. */
    public Thread worker(String name, Runnable work) {
        Thread thread = new Thread(work, name);
        thread.setDaemon(true);
        thread.setUncaughtExceptionHandler(this);
        return thread;
    }

    /** A thread that keeps the program running; not started yet. */
    public Thread foreground(String name, Runnable work) {
        Thread thread = new Thread(() -> run(work), name);
        thread.setUncaughtExceptionHandler(this);
        return thread;
    }

    private void run(Runnable work) {
        work.run();
        if (!ending) {
            throw new IllegalStateException("the thread ended before its time");
        }
    }

    /** From now on threads may end. */
    public void end() {
        ending = true;
    }

    /** Ends the process, as this thread has failed. */
    @Override
    public void uncaughtException(Thread thread, Throwable fault) {
        failed = true;
        LockSupport.unpark(halter);
        try {
            // Looked up late, as the level of the log may be set after this was made.
            LoggerFactory.getLogger(Threads.class)
                    .error(
                            "{} failed; the process ends, start it again{}",
                            thread.getName(),
                            fault instanceof OutOfMemoryError ? ", with more memory (java -Xmx)" : "",
                            fault);
            LogStream.drain(LAST_WORDS_MILLIS / 2);
        } finally {
            JVM.halt(EXIT_BROKEN);
        }
    }
}
