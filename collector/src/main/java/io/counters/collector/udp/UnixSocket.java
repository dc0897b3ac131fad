package io.counters.collector.udp;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.nio.file.LinkOption.NOFOLLOW_LINKS;

import io.counters.collector.self.AddressKey;
import io.counters.collector.self.DiskFault;
import io.netty.channel.ChannelException;
import io.netty.channel.IoEvent;
import io.netty.channel.IoRegistration;
import io.netty.channel.ManualIoEventLoop;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandle;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollIoOps;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.channel.unix.Errors;
import io.netty.channel.unix.FileDescriptor;
import io.netty.channel.unix.Socket;
import io.netty.util.concurrent.Future;
import java.io.IOException;
import java.net.ConnectException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * A Unix datagram socket. The JDK has none, so it is Netty's: its socket, and its loop to wait for it, which the receiving
 * thread itself runs.
 *
 * <p>A name in the file system is all that senders know of it, and others may take that away. A name whose socket nobody
 * has open any more, such as a killed collector leaves, is replaced; one that somebody receives at is left alone. When the
 * name is gone while this runs, or such a one has come in its place, a new socket gets it, and what waits in the former one is taken first: senders that had
 * connected to that connect anew, as they do when a collector is started again.
 */
public final class UnixSocket implements Datagrams {
    /** Larger than the kernel lets a sender's be, unless {@code net.core.wmem_max} was raised. */
    public static final int DATAGRAM_BYTES_MAX = 1 << 20;

    /** Of a path: the kernel has 108, with a NUL. */
    public static final int PATH_BYTES_MAX = 107;

    private static final long LOOK_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final int TYPE_MASK = 0170000;
    private static final int TYPE_SOCKET = 0140000;

    private final Path path;
    private final LongSupplier nanoClock;
    private Bound bound;

    /** What had the name before and may hold datagrams still. */
    private @Nullable Bound former;

    private long lookedNanos;
    private boolean waits = true;

    /** Of the thread that receives; made by that. */
    private volatile @Nullable ManualIoEventLoop loop;

    private volatile boolean open = true;

    /**
     * Opens it, and lets every user of this machine who can reach its folder send there.
     *
     * @throws IOException when it can't be had; the message names the remedy
     */
    public UnixSocket(Path path, LongSupplier nanoClock) throws IOException {
        this.path = path;
        this.nanoClock = nanoClock;
        if (!Epoll.isAvailable()) {
            throw new IOException(
                    cannot("Netty's native library can't be loaded here (" + rootOf(Epoll.unavailabilityCause())
                            + "); it is there for Linux on x86_64 and aarch64, with glibc, and is unpacked into"
                            + " java.io.tmpdir, which must not be mounted noexec. Leave --unix out to do without"),
                    Epoll.unavailabilityCause());
        }
        bound = bind();
        lookedNanos = nanoClock.getAsLong();
    }

    private static String rootOf(Throwable fault) {
        Throwable root = fault;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        return root.toString();
    }

    private String cannot(String why) {
        return "can't listen on the Unix socket " + path + ": " + why;
    }

    /** A socket that has the name, and what the file system knows that by. */
    private record Bound(Socket socket, String identity) {
        /** Takes a datagram; returns -1 when there is none. */
        int read(ByteBuffer empty) throws IOException {
            int length = socket.read(empty, 0, empty.capacity());
            // Netty has 0 for none, and -1 for one without bytes, as that is the end of a stream.
            return length > 0 ? length : -length - 1;
        }
    }

    private Bound bind() throws IOException {
        Path folder = path.toAbsolutePath().getParent();
        if (folder == null || !Files.isDirectory(folder)) {
            throw new IOException(
                    cannot("the folder " + folder + " does not exist, or this process may not enter it; create"
                            + " it, for the user of this process to write in"));
        }
        try {
            removeStale();
            Socket socket = Socket.newSocketDomainDgram();
            try {
                socket.bind(new DomainSocketAddress(path.toString()));
                Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rw-rw-rw-"));
                return new Bound(socket, identity());
            } catch (IOException | RuntimeException failure) {
                socket.close();
                throw failure;
            }
        } catch (Refused known) {
            throw known;
        } catch (IOException failure) {
            throw new IOException(
                    cannot(
                            Files.isWritable(folder)
                                    ? DiskFault.text(failure)
                                    : "no permission; let the user of this process write in " + folder),
                    failure);
        }
    }

    /** A name that somebody else has; the message says all. */
    private static final class Refused extends IOException {
        private static final long serialVersionUID = 1;

        Refused(String message) {
            super(message);
        }
    }

    /** Removes a socket's name that nobody receives at. */
    private void removeStale() throws IOException {
        int mode;
        try {
            mode = (int) Files.getAttribute(path, "unix:mode", NOFOLLOW_LINKS);
        } catch (NoSuchFileException free) {
            return;
        }
        if ((mode & TYPE_MASK) != TYPE_SOCKET) {
            throw new Refused(
                    cannot("there is a file of that name that is no socket; move it away, or give another path"));
        }
        Socket asking = Socket.newSocketDomainDgram();
        try {
            asking.connect(new DomainSocketAddress(path.toString()));
            throw new Refused(cannot(
                    "another program receives there, perhaps another collector; end that, or give" + " another path"));
        } catch (ConnectException nobody) {
            if (!isRefused(nobody)) {
                throw new Refused(cannot("there is a socket of that name, and this process may not ask whether another"
                        + " program receives there (" + nobody.getMessage() + "); remove the file if none does, or give"
                        + " another path"));
            }
            Files.delete(path);
        } finally {
            asking.close();
        }
    }

    /** The kernel has another answer for a socket that somebody has open but that is a stream's, or another user's. */
    private static boolean isRefused(ConnectException answer) {
        return String.valueOf(answer.getMessage()).contains("(" + Errors.ERROR_ECONNREFUSED_NEGATIVE + ")");
    }

    private String identity() throws IOException {
        Map<String, Object> file = Files.readAttributes(path, "unix:dev,ino", NOFOLLOW_LINKS);
        return file.get("dev") + ":" + file.get("ino");
    }

    @Override
    public String protocol() {
        return "Unix";
    }

    @Override
    public int bytesMax() {
        return DATAGRAM_BYTES_MAX;
    }

    @Override
    public int receive(ByteBuffer empty) throws IOException {
        if (!open) {
            throw new ClosedChannelException();
        }
        int length = take(empty);
        if (length >= 0 || !waits) {
            return length;
        }
        try {
            look();
            waiting().run(LOOK_NANOS);
        } catch (ChannelException failure) {
            // Netty's word for a kernel that has no descriptor left, say: it may have one again.
            throw new IOException("can't wait for " + path + ": " + failure.getMessage(), failure);
        }
        return take(empty);
    }

    private int take(ByteBuffer empty) throws IOException {
        Bound before = former;
        if (before != null) {
            int length = before.read(empty);
            if (length >= 0) {
                return length;
            }
            before.socket.close();
            former = null;
        }
        return bound.read(empty);
    }

    /** Once a second: whether the name is still this socket's. */
    private void look() throws IOException {
        long now = nanoClock.getAsLong();
        if (now - lookedNanos < LOOK_NANOS) {
            return;
        }
        lookedNanos = now;
        String found;
        try {
            found = identity();
        } catch (NoSuchFileException removed) {
            found = "";
        }
        if (!found.equals(bound.identity)) {
            bindAgain();
        }
    }

    private void bindAgain() throws IOException {
        Bound fresh;
        try {
            fresh = bind();
        } catch (Refused taken) {
            throw new IOException(
                    "another program has taken the name " + path + ", so that nothing arrives here any more; end that"
                            + " program, or this one",
                    taken);
        }
        former = bound;
        bound = fresh;
        endLoop();
    }

    /** The loop that waits for the socket that has the name. */
    private ManualIoEventLoop waiting() {
        ManualIoEventLoop waiting = loop;
        if (waiting == null) {
            waiting = new ManualIoEventLoop(Thread.currentThread(), EpollIoHandler.newFactory());
            // Run by this thread now, as it is the loop's.
            waiting.register(new Arrivals(bound.socket)).addListener(done -> {
                if (done.isSuccess() && done.getNow() instanceof IoRegistration registration) {
                    registration.submit(EpollIoOps.EPOLLIN);
                }
            });
            loop = waiting;
        }
        return waiting;
    }

    /** Nothing but the end of the wait: what has come is read after it. */
    private record Arrivals(FileDescriptor fd) implements EpollIoHandle {
        @Override
        public void handle(IoRegistration registration, IoEvent event) {
            // It is the loop's return that matters.
        }

        @Override
        public void close() {
            // The socket is closed by whoever reads it.
        }
    }

    private void endLoop() {
        ManualIoEventLoop waiting = loop;
        if (waiting != null) {
            loop = null;
            Future<?> ended = waiting.shutdownGracefully(0, 0, TimeUnit.SECONDS);
            while (!ended.isDone()) {
                waiting.runNow();
            }
        }
    }

    @Override
    public long senderKey() {
        return AddressKey.UNIX;
    }

    @Override
    public int senderPort() {
        return 0;
    }

    @Override
    public String senderText() {
        return "a process of this machine by " + path;
    }

    @Override
    public void wake() {
        ManualIoEventLoop waiting = loop;
        if (waiting != null) {
            waiting.wakeup();
        }
    }

    @Override
    public void stopWaiting() throws IOException {
        waits = false;
        removeName();
    }

    private void removeName() throws IOException {
        try {
            if (identity().equals(bound.identity)) {
                Files.delete(path);
            }
        } catch (NoSuchFileException removed) {
            // As it should be.
        }
    }

    @Override
    public boolean isOpen() {
        return open;
    }

    @Override
    public void close() throws IOException {
        if (!open) {
            return;
        }
        open = false;
        endLoop();
        try {
            removeName();
        } finally {
            if (former != null) {
                former.socket.close();
            }
            bound.socket.close();
        }
    }

    /** Where it is. */
    @Override
    public String toString() {
        return path.toString();
    }

    /** How many bytes of a path the kernel sees. */
    public static int bytes(Path path) {
        return path.toString().getBytes(UTF_8).length;
    }
}
