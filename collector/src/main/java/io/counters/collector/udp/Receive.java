package io.counters.collector.udp;

import io.counters.collector.self.AddressKey;
import java.io.FileDescriptor;
import java.io.IOException;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.ref.Reference;
import java.lang.reflect.InaccessibleObjectException;
import java.lang.reflect.Method;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.DatagramChannel;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads a channel's next datagram and its sender's address, without creating an object.
 *
 * <p>{@link DatagramChannel#receive} creates an address of about 150 bytes for every datagram whose sender differs from the
 * previous one, and the address is rarely needed. The JDK's own system call, {@code recvfrom}, writes the address into
 * memory: {@code sun.nio.ch.DatagramChannelImpl.receive0}, which is the same in JDK 17 to 25. This class calls it with its
 * own memory, which it reads when the address is needed. The jar's manifest opens that package ({@code Add-Opens}). If it is
 * not open, has no such method, or the system is not Linux, whose addresses have the layout below, the public method is
 * used, which gives the same results at a higher cost. For one thread.
 *
 * <pre>
 *   sockaddr_in,  IPv4:  family 2 (2 bytes in the machine's order)   port (2)   address (4)
 *   sockaddr_in6, IPv6:  family 10 (2)   port (2)   flow (4)   address (16)   scope (4, in the machine's order)
 * </pre>
 */
final class Receive {
    private static final Logger log = LoggerFactory.getLogger(Receive.class);

    /** The JDK's {@code IOStatus}. */
    private static final int INTERRUPTED = -3;

    private static final int SENDER_BYTES = 128;
    private static final int IPV4 = 2;
    private static final int IPV6 = 10;
    private static final int PORT = 2;
    private static final int IPV4_ADDRESS = 4;
    private static final int IPV6_ADDRESS = 8;

    private final DatagramChannel channel;
    private final ByteBuffer sender = ByteBuffer.allocateDirect(SENDER_BYTES);

    /** Calls {@code receive0} with the address and length of memory; null if that package of the JDK is not open. */
    private final @Nullable MethodHandle recvfrom;

    /** Returns a direct buffer's address in memory. */
    private final @Nullable MethodHandle address;

    private @Nullable ByteBuffer known;
    private long knownAddress;

    /** The sender, if the public method is used. */
    private @Nullable InetSocketAddress last;

    /** @param channel bound; to close it while this waits, wake it with a datagram */
    Receive(DatagramChannel channel) {
        this(channel, true);
    }

    /** @param lean false for the public method */
    Receive(DatagramChannel channel, boolean lean) {
        this.channel = channel;
        address = lean ? address() : null;
        recvfrom = address == null ? null : recvfrom(address);
    }

    private static @Nullable MethodHandle address() {
        if (!System.getProperty("os.name", "").equals("Linux")) {
            return null;
        }
        try {
            Method method = Class.forName("sun.nio.ch.DirectBuffer").getMethod("address");
            method.setAccessible(true);
            return MethodHandles.lookup().unreflect(method).asType(MethodType.methodType(long.class, ByteBuffer.class));
        } catch (ReflectiveOperationException | InaccessibleObjectException closed) {
            log.debug("datagrams are received with the JDK's public method, which allocates for each sender", closed);
            return null;
        }
    }

    private @Nullable MethodHandle recvfrom(MethodHandle addressOf) {
        try {
            Method receive = Class.forName("sun.nio.ch.DatagramChannelImpl")
                    .getDeclaredMethod(
                            "receive0", FileDescriptor.class, long.class, int.class, long.class, boolean.class);
            Method descriptor = Class.forName("sun.nio.ch.SelChImpl").getMethod("getFD");
            receive.setAccessible(true);
            descriptor.setAccessible(true);
            long into = (long) addressOf.invokeExact(sender);
            MethodHandle handle = MethodHandles.lookup().unreflect(receive);
            handle = MethodHandles.insertArguments(handle, 3, into, false);
            handle = MethodHandles.insertArguments(handle, 0, descriptor.invoke(channel));
            return handle.asType(MethodType.methodType(int.class, long.class, int.class));
        } catch (ReflectiveOperationException | InaccessibleObjectException closed) {
            log.debug("datagrams are received with the JDK's public method, which allocates for each sender", closed);
            return null;
        } catch (RuntimeException | Error failure) {
            throw failure;
        } catch (Throwable neverDeclared) {
            throw new IllegalStateException(neverDeclared);
        }
    }

    /** Whether no object is created for a datagram. */
    boolean isLean() {
        return recvfrom != null;
    }

    /**
     * Reads a datagram, after waiting for it if the channel blocks.
     *
     * @param empty direct, as long as a datagram may be, at position 0
     * @return the number of its bytes, which begin at 0; -1 if there is none and the channel does not block
     */
    @SuppressWarnings("ReferenceEquality") // The buffer's memory is compared, not its content.
    int into(ByteBuffer empty) throws IOException {
        if (recvfrom == null || address == null) {
            last = (InetSocketAddress) channel.receive(empty);
            return last == null ? -1 : empty.position();
        }
        try {
            if (empty != known) {
                knownAddress = (long) address.invokeExact(empty);
                known = empty;
            }
            while (true) {
                int length = (int) recvfrom.invokeExact(knownAddress, empty.limit());
                if (length != INTERRUPTED) {
                    return length < 0 ? -1 : length;
                }
            }
        } catch (IOException | RuntimeException | Error failure) {
            throw failure;
        } catch (Throwable neverDeclared) {
            throw new IOException(neverDeclared);
        } finally {
            Reference.reachabilityFence(empty);
        }
    }

    /** The {@link AddressKey} of the last datagram's sender. Allocates nothing, except with the public method. */
    long senderKey() {
        if (!isLean()) {
            return AddressKey.of(last);
        }
        return switch (family()) {
            case IPV4 -> AddressKey.ipv4(sender.getInt(IPV4_ADDRESS));
            case IPV6 -> AddressKey.ipv6(sender.getLong(IPV6_ADDRESS), sender.getLong(IPV6_ADDRESS + 8));
            default -> AddressKey.UNKNOWN;
        };
    }

    /** The port of the last datagram's sender; 0 before the first datagram. Allocates nothing. */
    int senderPort() {
        if (!isLean()) {
            return last == null ? 0 : last.getPort();
        }
        int family = family();
        return family == IPV4 || family == IPV6 ? sender.getShort(PORT) & 0xffff : 0;
    }

    /** The last datagram's sender; null before the first datagram. */
    @Nullable
    InetSocketAddress sender() {
        if (!isLean()) {
            return last;
        }
        int family = family();
        if (family != IPV4 && family != IPV6) {
            return null;
        }
        byte[] bytes = new byte[family == IPV4 ? 4 : 16];
        sender.get(family == IPV4 ? IPV4_ADDRESS : IPV6_ADDRESS, bytes);
        try {
            return new InetSocketAddress(InetAddress.getByAddress(bytes), sender.getShort(PORT) & 0xffff);
        } catch (UnknownHostException neverOfThatLength) {
            throw new IllegalStateException(neverOfThatLength);
        }
    }

    private int family() {
        short family = sender.getShort(0);
        return ByteOrder.nativeOrder() == ByteOrder.BIG_ENDIAN ? family : Short.reverseBytes(family);
    }
}
