package io.counters.collector.common;

import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Creates this program's threads, and ends the process with status {@value #EXIT_BROKEN} as soon as one of them fails or
 * ends unexpectedly: a collector without one of its threads is worse than none, and a supervisor starts it again.
 *
 * <p>Ending must not need memory when there is none. After an {@link OutOfMemoryError} the log may fail or hang, so a thread
 * that was started earlier halts the process, without allocating, a second after it is woken. For any thread.
 */
public final class Threads implements Thread.UncaughtExceptionHandler {
    /** The exit status after a thread failed. */
    public static final int EXIT_BROKEN = 3;

    private static final long LAST_WORDS_MILLIS = 1_000;
    private static final long LAST_WORDS_NANOS = 1_000_000_000;

    /** Looked up in advance, because finding a class and a first call both need memory. */
    private static final Runtime JVM = Runtime.getRuntime();

    private static final Class<?> MUST_END = MustEnd.class;

    private final Thread halter;
    private volatile boolean failed;
    private volatile boolean ending;

    public Threads() {
        prepareToHalt();
        halter = new Thread(this::haltOnceFailed, "counters-halt");
        halter.setDaemon(true);
        halter.start();
    }

    /** Loads the classes that halting needs, because they cannot be loaded without memory. */
    private static void prepareToHalt() {
        try {
            Class.forName("java.lang.Shutdown");
            Class.forName("java.lang.Shutdown$Lock");
        } catch (ClassNotFoundException otherJdk) {
            // This JDK halts without these classes.
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

    /** A daemon thread of a pool or a loop that its owner ends: it may end at any time, but must not fail. */
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
            throw new IllegalStateException("the thread ended unexpectedly");
        }
    }

    /** Allows threads to end from now on. */
    public void end() {
        ending = true;
    }

    /** Ends the process for a reason that is no failure of a thread: the message has it, and what to do. */
    public abstract static class MustEnd extends Error {
        private static final long serialVersionUID = 1;

        protected MustEnd(String message, Throwable cause) {
            super(message, cause);
        }
    }

    /** Ends the process, because this thread has failed. */
    @Override
    public void uncaughtException(Thread thread, Throwable fault) {
        failed = true;
        LockSupport.unpark(halter);
        try {
            // Looked up late, because the log level may be set after this object was created.
            Logger log = LoggerFactory.getLogger(Threads.class);
            if (MUST_END.isInstance(fault)) {
                log.error("the process ends: {}", fault.getMessage());
            } else {
                log.error(
                        "{} failed; the process ends, start it again{}",
                        thread.getName(),
                        fault instanceof OutOfMemoryError ? ", with more memory (java -Xmx)" : "",
                        fault);
            }
            LogStream.drain(LAST_WORDS_MILLIS / 2);
        } finally {
            JVM.halt(EXIT_BROKEN);
        }
    }
}
