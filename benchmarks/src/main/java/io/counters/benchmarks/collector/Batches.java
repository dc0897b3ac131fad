package io.counters.benchmarks.collector;

import java.io.IOException;
import java.lang.invoke.MethodHandle;
import java.lang.reflect.Array;
import java.lang.reflect.InaccessibleObjectException;
import java.lang.reflect.Method;
import java.nio.Buffer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.DatagramChannel;
import java.util.Optional;

/**
 * Linux's recvmmsg and sendmmsg: many datagrams with one system call, as the C programs do it. Called through {@code
 * java.lang.foreign}, which is there since JDK 22, by reflection, as this is compiled for 17; the channel's number comes
 * from {@code sun.nio.ch}, which has to be opened. For one thread.
 *
 * <pre>
 *   struct mmsghdr, 64 bits                       struct iovec
 *   +0  address, its length                       +0 memory
 *   +16 iovecs  +24 how many                      +8 its length
 *   +32 control, its length  +48 flags
 *   +56 length of the datagram (out)  +60 unused
 * </pre>
 */
final class Batches {
    private static final int FIRST_JDK = 22;
    private static final int HEADER_BYTES = 64;
    private static final int IOVECS_AT = 16;
    private static final int IOVEC_COUNT_AT = 24;
    private static final int LENGTH_AT = 56;
    private static final int IOVEC_BYTES = 16;
    private static final int WAIT_FOR_ONE = 0x10000;

    private final int socket;
    private final MethodHandle call;
    private final ByteBuffer headers;
    private final ByteBuffer iovecs;
    private final long headersAddress;

    private Batches(DatagramChannel channel, String function, int slots) throws ReflectiveOperationException {
        Method number = Class.forName("sun.nio.ch.SelChImpl").getMethod("getFDVal");
        number.setAccessible(true);
        socket = (int) number.invoke(channel);
        call = find(function);
        headers = direct(HEADER_BYTES * slots);
        iovecs = direct(IOVEC_BYTES * slots);
        headersAddress = address(headers);
        long iovecsAddress = address(iovecs);
        for (int i = 0; i < slots; i++) {
            headers.putLong(HEADER_BYTES * i + IOVECS_AT, iovecsAddress + (long) IOVEC_BYTES * i);
            headers.putLong(HEADER_BYTES * i + IOVEC_COUNT_AT, 1);
        }
    }

    /** To receive with; empty where the JDK or the system has no such call. */
    static Optional<Batches> receiving(DatagramChannel channel, ByteBuffer memory, int slots) {
        return of(channel, "recvmmsg", slots).map(batches -> batches.into(memory, slots));
    }

    /** To send with; empty where the JDK or the system has no such call. */
    static Optional<Batches> sending(DatagramChannel channel, int slots) {
        return of(channel, "sendmmsg", slots);
    }

    private static Optional<Batches> of(DatagramChannel channel, String function, int slots) {
        boolean linux64 = System.getProperty("os.name").equals("Linux")
                && System.getProperty("sun.arch.data.model", "").equals("64");
        if (!linux64 || Runtime.version().feature() < FIRST_JDK) {
            return Optional.empty();
        }
        try {
            return Optional.of(new Batches(channel, function, slots));
        } catch (ReflectiveOperationException | InaccessibleObjectException closed) {
            return Optional.empty();
        }
    }

    private Batches into(ByteBuffer memory, int slots) {
        int slotBytes = memory.capacity() / slots;
        long address = address(memory);
        for (int i = 0; i < slots; i++) {
            point(i, address + (long) slotBytes * i, slotBytes);
        }
        return this;
    }

    /** Lets a slot be so many bytes of memory; who calls keeps that memory. */
    void point(int slot, long address, int length) {
        iovecs.putLong(IOVEC_BYTES * slot, address);
        iovecs.putLong(IOVEC_BYTES * slot + Long.BYTES, length);
    }

    /** Waits for a datagram, and takes it and what else is there; 0 when something woke it. */
    int receive() throws IOException {
        return Math.max(0, call(headers.capacity() / HEADER_BYTES, WAIT_FOR_ONE));
    }

    /** Sends the first so many slots; returns how many were taken, -1 where the first one was not. */
    int send(int slots) throws IOException {
        return call(slots, 0);
    }

    /** How long the datagram in this slot is. */
    int length(int slot) {
        return headers.getInt(HEADER_BYTES * slot + LENGTH_AT);
    }

    private int call(int slots, int flags) throws IOException {
        try {
            // Addresses are passed as numbers, so that no type of JDK 22 is named here.
            return (int) call.invokeExact(socket, headersAddress, slots, flags, 0L);
        } catch (RuntimeException | Error failure) {
            throw failure;
        } catch (Throwable neverDeclared) {
            throw new IOException(neverDeclared);
        }
    }

    private static ByteBuffer direct(int bytes) {
        return ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
    }

    /** Where a direct buffer lies; call only where one of these could be made. */
    static long address(ByteBuffer buffer) {
        try {
            Class<?> segments = Class.forName("java.lang.foreign.MemorySegment");
            Object segment = segments.getMethod("ofBuffer", Buffer.class)
                    .invoke(null, buffer.duplicate().clear());
            return (long) segments.getMethod("address").invoke(segment);
        } catch (ReflectiveOperationException impossible) {
            throw new LinkageError("java.lang.foreign has changed", impossible);
        }
    }

    /** The C library's function of (int, pointer, int, int[, pointer]), as (int, long, int, int, long). */
    private static MethodHandle find(String function) throws ReflectiveOperationException {
        Class<?> linkers = Class.forName("java.lang.foreign.Linker");
        Class<?> layouts = Class.forName("java.lang.foreign.MemoryLayout");
        Class<?> values = Class.forName("java.lang.foreign.ValueLayout");
        Class<?> descriptors = Class.forName("java.lang.foreign.FunctionDescriptor");
        Class<?> lookups = Class.forName("java.lang.foreign.SymbolLookup");
        Class<?> segments = Class.forName("java.lang.foreign.MemorySegment");
        Class<?> options = Class.forName("java.lang.foreign.Linker$Option");
        Object linker = linkers.getMethod("nativeLinker").invoke(null);
        Object lookup = linkers.getMethod("defaultLookup").invoke(linker);
        Optional<?> symbol =
                (Optional<?>) lookups.getMethod("find", String.class).invoke(lookup, function);
        Object whole = values.getField("JAVA_INT").get(null);
        Object wide = values.getField("JAVA_LONG").get(null);
        Object arguments = Array.newInstance(layouts, 5);
        Object[] types = {whole, wide, whole, whole, wide};
        for (int i = 0; i < types.length; i++) {
            Array.set(arguments, i, types[i]);
        }
        Object descriptor =
                descriptors.getMethod("of", layouts, arguments.getClass()).invoke(null, whole, arguments);
        Object none = Array.newInstance(options, 0);
        return (MethodHandle) linkers.getMethod("downcallHandle", segments, descriptors, none.getClass())
                .invoke(linker, symbol.orElseThrow(() -> new NoSuchMethodException(function)), descriptor, none);
    }
}
