package io.counters.emit;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;

/**
 * Looks up one collector's name on its own daemon thread, {@code counters-resolve}, so that a name server that hangs
 * delays neither a sweep nor another name. The last addresses found are kept until others are found.
 *
 * <p>It repeats a successful look-up after {@value #AGAIN_SECONDS} s, and a failed one after 1 s, 2 s, 4 s and so on,
 * at most {@value #AGAIN_SECONDS} s. The JVM caches answers too: by default successes for 30 s and failures for 10 s
 * ({@code networkaddress.cache.ttl} and {@code .negative.ttl} in {@code java.security}), so a new address is found
 * within about a minute. Under a SecurityManager the JVM caches successes forever, so a new address is never found.
 */
public class Resolver extends Thread implements AutoCloseable {
    private static final long AGAIN_SECONDS = 30;
    private static final InetAddress[] NONE = {};

    private final String host;
    private final Function<String, InetAddress[]> names;
    private final long firstAfterMillis;

    private volatile InetAddress[] addresses = NONE;
    private volatile boolean answered;
    private volatile boolean hurried;
    private volatile boolean closing;

    /**
     * Start it only once.
     *
     * @param names returns all addresses of a name, or none; may block, and may throw
     * @param firstAfterMillis the delay of the first look-up, which {@link #hurry} cuts short
     */
    Resolver(String host, Function<String, InetAddress[]> names, long firstAfterMillis) {
        super("counters-resolve");
        this.host = host;
        this.names = names;
        this.firstAfterMillis = firstAfterMillis;
        setDaemon(true);
    }

    /** A started resolver that uses the JVM's look-up. */
    public static Resolver started(String host) {
        Resolver resolver = new Resolver(host, Resolver::ofTheJvm, 0);
        resolver.start();
        return resolver;
    }

    /** The JVM's look-up: from its cache, or by a name server. */
    static InetAddress[] ofTheJvm(String host) {
        try {
            return InetAddress.getAllByName(host);
        } catch (UnknownHostException unknown) {
            return NONE;
        }
    }

    /** The name's addresses; none until a look-up has succeeded. */
    public InetAddress[] addresses() {
        return addresses;
    }

    /** Whether a look-up has ended, with or without success. */
    boolean hasAnswered() {
        return answered;
    }

    /** Makes the first look-up at once, because this JVM ends. */
    void hurry() {
        hurried = true;
        LockSupport.unpark(this);
    }

    @Override
    public void run() {
        lookUntilClosed();
    }

    void lookUntilClosed() {
        pause(TimeUnit.MILLISECONDS.toNanos(firstAfterMillis));
        for (long wait = 1; !closing; ) {
            boolean good = look();
            wait = good ? AGAIN_SECONDS : Math.min(AGAIN_SECONDS, wait);
            pause(TimeUnit.SECONDS.toNanos(wait));
            wait = good ? 1 : 2 * wait;
        }
    }

    private boolean look() {
        InetAddress[] found;
        try {
            found = names.apply(host);
        } catch (Throwable fault) {
            // For any failure the remedy is the same: look up again later.
            found = NONE;
        }
        if (found.length > 0) {
            addresses = found;
        }
        answered = true;
        return found.length > 0;
    }

    /** Waits, but no longer than until it is closed, or hurried before its first answer. */
    void pause(long nanos) {
        long until = System.nanoTime() + nanos;
        for (long left = nanos; left > 0 && !closing && !(hurried && !answered); left = until - System.nanoTime()) {
            LockSupport.parkNanos(this, left);
            Thread.interrupted();
        }
    }

    /** Ends the thread; a look-up that hangs ends with the process. */
    @Override
    public void close() {
        closing = true;
        LockSupport.unpark(this);
    }
}
