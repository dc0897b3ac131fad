package io.counters.collector.udp;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.nio.file.LinkOption.NOFOLLOW_LINKS;

import io.counters.collector.common.AddressKey;
import io.counters.collector.common.DiskFault;
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
 * A Unix datagram socket. The JDK has none, so this uses Netty's socket, and Netty's event loop to wait for it, which the
 * receiving thread itself runs.
 *
 * <p>Senders find it only by its name in the file system, which other programs may remove. A name whose socket no program
 * has open any more, such as one that a killed collector left, is replaced; a name at which a program receives is left
 * alone. If the name is removed while this runs, or is replaced by one that no program has open, a new socket is bound to
 * it, and the datagrams in the former socket are read first. Senders that were connected to the former socket connect again,
 * as they do after a restart of the collector.
 */
public final class UnixSocket implements Datagrams {
    /** Larger than a datagram that the kernel allows, unless {@code net.core.wmem_max} was raised. */
    public static final int DATAGRAM_BYTES_MAX = 1 << 20;

    /** The maximum bytes of a path: the kernel has 108, including a NUL. */
    public static final int PATH_BYTES_MAX = 107;

    private static final long LOOK_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final int TYPE_MASK = 0170000;
    private static final int TYPE_SOCKET = 0140000;

    private final Path path;
    private final LongSupplier nanoClock;
    private Bound bound;

    /** The socket that had the name before, and may still have datagrams. */
    private @Nullable Bound former;

    private long lookedNanos;
    private boolean waits = true;

    /** Created and run by the receiving thread. */
    private volatile @Nullable ManualIoEventLoop loop;

    private volatile boolean open = true;

    /**
     * Opens the socket; every user of this machine who can reach its folder may send to it.
     *
     * @throws IOException if it cannot be opened; the message contains the remedy
     */
    public UnixSocket(Path path, LongSupplier nanoClock) throws IOException {
        this.path = path;
        this.nanoClock = nanoClock;
        if (!Epoll.isAvailable()) {
            throw new IOException(
                    cannot("Netty's native library cannot be loaded here (" + rootOf(Epoll.unavailabilityCause())
                            + "); it exists for Linux on x86_64 and aarch64, with glibc, and is unpacked into"
                            + " java.io.tmpdir, which must not be mounted noexec. Leave out --unix to start"
                            + " without it"),
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
        return "cannot listen on the Unix socket " + path + ": " + why;
    }

    /** A socket that has the name, and the file's device and inode. */
    private record Bound(Socket socket, String identity) {
        /** Reads a datagram; returns -1 if there is none. */
        int read(ByteBuffer empty) throws IOException {
            int length = socket.read(empty, 0, empty.capacity());
            // Netty returns 0 for none, and -1 for an empty datagram, because that would be the end of a stream.
            return length > 0 ? length : -length - 1;
        }
    }

    private Bound bind() throws IOException {
        Path folder = path.toAbsolutePath().getParent();
        if (folder == null || !Files.isDirectory(folder)) {
            throw new IOException(
                    cannot("the folder " + folder + " does not exist, or this process has no access; create it,"
                            + " and let the user of this process write there"));
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

    /** Another program has the name; the message is complete. */
    private static final class Refused extends IOException {
        private static final long serialVersionUID = 1;

        Refused(String message) {
            super(message);
        }
    }

    /** Removes the name if it is a socket at which no program receives. */
    private void removeStale() throws IOException {
        int mode;
        try {
            mode = (int) Files.getAttribute(path, "unix:mode", NOFOLLOW_LINKS);
        } catch (NoSuchFileException free) {
            return;
        }
        if ((mode & TYPE_MASK) != TYPE_SOCKET) {
            throw new Refused(
                    cannot("there is a file of that name that is not a socket; move it away, or give another path"));
        }
        Socket asking = Socket.newSocketDomainDgram();
        try {
            asking.connect(new DomainSocketAddress(path.toString()));
            throw new Refused(cannot("another program receives there, perhaps another collector; end that program, or"
                    + " give another path"));
        } catch (ConnectException nobody) {
            if (!isRefused(nobody)) {
                throw new Refused(
                        cannot("there is a socket of that name, and this process cannot find out whether another"
                                + " program receives there (" + nobody.getMessage()
                                + "); remove the file if none does, or give"
                                + " another path"));
            }
            Files.delete(path);
        } finally {
            asking.close();
        }
    }

    /** The kernel answers differently for an open stream socket, and for a socket of another user. */
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
            // Netty throws this if, for example, no descriptor is left, which may pass.
            throw new IOException("cannot wait for " + path + ": " + failure.getMessage(), failure);
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

    /** Checks once a second whether the name still belongs to this socket. */
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
                    "another program has taken the name " + path + ", so nothing arrives here any more; end"
                            + " that program, or this one",
                    taken);
        }
        former = bound;
        bound = fresh;
        endLoop();
    }

    /** The event loop that waits for the socket that has the name. */
    private ManualIoEventLoop waiting() {
        ManualIoEventLoop waiting = loop;
        if (waiting == null) {
            waiting = new ManualIoEventLoop(Thread.currentThread(), EpollIoHandler.newFactory());
            // Runs at once, because this is the loop's thread.
            waiting.register(new Arrivals(bound.socket)).addListener(done -> {
                if (done.isSuccess() && done.getNow() instanceof IoRegistration registration) {
                    registration.submit(EpollIoOps.EPOLLIN);
                }
            });
            loop = waiting;
        }
        return waiting;
    }

    /** Only ends the wait: the datagram is read afterwards. */
    private record Arrivals(FileDescriptor fd) implements EpollIoHandle {
        @Override
        public void handle(IoRegistration registration, IoEvent event) {
            // Only the loop's return is needed.
        }

        @Override
        public void close() {
            // UnixSocket closes the socket.
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
        return "a process of this machine over " + path;
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
            // It is removed already.
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

    /** The path. */
    @Override
    public String toString() {
        return path.toString();
    }

    /** The number of a path's bytes. */
    public static int bytes(Path path) {
        return path.toString().getBytes(UTF_8).length;
    }
}
