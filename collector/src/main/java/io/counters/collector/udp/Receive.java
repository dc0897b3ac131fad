package io.counters.collector.udp;

import java.io.FileDescriptor;
import java.io.IOException;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.Constructor;
import java.lang.reflect.InaccessibleObjectException;
import java.lang.reflect.Method;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes a channel's next datagram, without asking who sent it.
 *
 * <p>{@link DatagramChannel#receive} makes an address, some 150 bytes, of every datagram that has another sender than the
 * one before, and nobody here looks at it. The JDK has the system call that leaves it out, {@code recv}, for connected
 * channels only: {@code sun.nio.ch.IOUtil.read} with a {@code DatagramDispatcher}, alike in JDK 17 to 25. The jar's
 * manifest opens that package ({@code Add-Opens}). Where it is closed, or has no such method, the public way is gone,
 * which is as right and costs more. For one thread.
 */
final class Receive {
    private static final Logger log = LoggerFactory.getLogger(Receive.class);

    /** The JDK's {@code IOStatus}. */
    private static final int EOF = -1;

    private static final int INTERRUPTED = -3;

    private final DatagramChannel channel;

    /** From a direct buffer to what the JDK's dispatcher returns; null where the JDK is closed. */
    private final @Nullable MethodHandle recv;

    /** @param channel bound; what closes it while this waits must wake it by a datagram */
    Receive(DatagramChannel channel) {
        this(channel, recv(channel));
    }

    /** @param recv null for the public way */
    Receive(DatagramChannel channel, @Nullable MethodHandle recv) {
        this.channel = channel;
        this.recv = recv;
    }

    private static @Nullable MethodHandle recv(DatagramChannel channel) {
        try {
            Class<?> dispatchers = Class.forName("sun.nio.ch.NativeDispatcher");
            Constructor<?> dispatcher =
                    Class.forName("sun.nio.ch.DatagramDispatcher").getDeclaredConstructor();
            Method read = Class.forName("sun.nio.ch.IOUtil")
                    .getDeclaredMethod("read", FileDescriptor.class, ByteBuffer.class, long.class, dispatchers);
            Method descriptor = Class.forName("sun.nio.ch.SelChImpl").getMethod("getFD");
            dispatcher.setAccessible(true);
            read.setAccessible(true);
            descriptor.setAccessible(true);
            MethodHandle handle = MethodHandles.lookup().unreflect(read);
            handle = MethodHandles.insertArguments(handle, 2, -1L, dispatcher.newInstance());
            handle = MethodHandles.insertArguments(handle, 0, descriptor.invoke(channel));
            return handle.asType(MethodType.methodType(int.class, ByteBuffer.class));
        } catch (ReflectiveOperationException | InaccessibleObjectException closed) {
            log.debug("datagrams are received with their senders' addresses, which nobody needs", closed);
            return null;
        }
    }

    /** Whether no address is made. */
    boolean isLean() {
        return recv != null;
    }

    /**
     * Takes a datagram, after waiting for it where the channel blocks.
     *
     * @param empty direct, and as long as a datagram may be
     * @return its bytes, from 0; -1 when there is none and the channel does not block
     */
    int into(ByteBuffer empty) throws IOException {
        if (recv == null) {
            return channel.receive(empty) == null ? -1 : empty.position();
        }
        try {
            while (true) {
                int length = (int) recv.invokeExact(empty);
                if (length >= 0) {
                    return length;
                } else if (length == EOF) {
                    // It takes an empty datagram for the end.
                    return 0;
                } else if (length != INTERRUPTED) {
                    return -1;
                }
            }
        } catch (IOException | RuntimeException | Error failure) {
            throw failure;
        } catch (Throwable neverDeclared) {
            throw new IOException(neverDeclared);
        }
    }
}
