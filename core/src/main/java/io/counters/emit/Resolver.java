package io.counters.emit;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;

/**
 * Looks up one collector's name on a daemon thread of its own, {@code counters-resolve}: a name server that hangs keeps
 * nobody else waiting, neither a sweep nor another name. The last good addresses stay until there are others.
 *
 * <p>It looks again {@value #AGAIN_SECONDS} s after an answer; where there was none after 1 s, 2 s, 4 s and so on, at
 * most {@value #AGAIN_SECONDS}. The JVM keeps answers for itself, too: by default good ones for 30 s and failures for 10
 * ({@code networkaddress.cache.ttl} and {@code .negative.ttl} in its {@code java.security}), so a new address is seen
 * within about a minute; under a SecurityManager it keeps good ones for ever, and then none is seen at all.
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
     * To be started once.
     *
     * @param names gives all addresses of a name, or none; may take its time, or throw
     * @param firstAfterMillis until the first look-up, unless {@link #hurry hurried}
     */
    Resolver(String host, Function<String, InetAddress[]> names, long firstAfterMillis) {
        super("counters-resolve");
        this.host = host;
        this.names = names;
        this.firstAfterMillis = firstAfterMillis;
        setDaemon(true);
    }

    /** One that looks from now on, at what the JVM knows or asks a name server for. */
    public static Resolver started(String host) {
        Resolver resolver = new Resolver(host, Resolver::ofTheJvm, 0);
        resolver.start();
        return resolver;
    }

    /** What the JVM knows, or asks a name server for. */
    static InetAddress[] ofTheJvm(String host) {
        try {
            return InetAddress.getAllByName(host);
        } catch (UnknownHostException unknown) {
            return NONE;
        }
    }

    /** What the name stands for; none as long as there was no good answer. */
    public InetAddress[] addresses() {
        return addresses;
    }

    /** Whether there was an answer, be it that the name is not known. */
    boolean hasAnswered() {
        return answered;
    }

    /** Looks now if it never looked, as this JVM ends. */
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
            // Whatever it is, to be asked again later is all that helps.
            found = NONE;
        }
        if (found.length > 0) {
            addresses = found;
        }
        answered = true;
        return found.length > 0;
    }

    /** Waits, at most until it is closed, or hurried before its first answer. */
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
