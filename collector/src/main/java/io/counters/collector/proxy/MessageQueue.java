package io.counters.collector.proxy;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * Whole messages that wait for one server, oldest first, in chunks of {@value #CHUNK_BYTES} bytes; the memory that they
 * take is bounded. What is too much is dropped from the old end, whole messages, a chunk of them at a time. Chunks are
 * used again, so that nothing is allocated where the queue empties as fast as it fills. For one thread.
 */
final class MessageQueue {
    static final int CHUNK_BYTES = 64 * 1024;

    private static final int SPARE_CHUNKS = 16;

    private final long bytesMax;
    private final ArrayDeque<Chunk> chunks = new ArrayDeque<>();
    private final ArrayDeque<Chunk> spare = new ArrayDeque<>();
    private long memory;
    private long bytes;
    private long added;
    private long dropped;

    /** Messages one behind the other: those from {@code begin} on are not known to be in the kernel's hands. */
    private static final class Chunk {
        final ByteBuffer buffer;
        int begin;
        int end;
        int messages;

        Chunk(int size) {
            buffer = ByteBuffer.allocate(size);
        }

        /** How much of it was handed on; a message may be cut there. */
        int written() {
            return buffer.position();
        }

        int room() {
            return buffer.capacity() - end;
        }
    }

    /** Takes whole messages. */
    @FunctionalInterface
    interface Each {
        void message(byte[] in, int begin, int end);
    }

    /** @param bytesMax of memory, at least 4 chunks */
    MessageQueue(long bytesMax) {
        this.bytesMax = bytesMax;
    }

    /** Puts the message {@code in[begin, end)} behind the others. */
    void add(byte[] in, int begin, int end) {
        int length = end - begin;
        Chunk last = chunks.peekLast();
        if (last == null || last.room() < length) {
            last = chunk(length);
            chunks.addLast(last);
        }
        System.arraycopy(in, begin, last.buffer.array(), last.end, length);
        last.end += length;
        last.messages++;
        bytes += length;
        added += length;
    }

    private Chunk chunk(int length) {
        int size = Math.max(CHUNK_BYTES, length);
        while (memory + size > bytesMax && dropOldest()) {
            // Until there is room.
        }
        memory += size;
        Chunk fresh = size == CHUNK_BYTES ? spare.pollFirst() : null;
        return fresh == null ? new Chunk(size) : fresh;
    }

    /** Drops the oldest chunk, or where a message of that has been handed on in part, the next. */
    private boolean dropOldest() {
        Chunk first = chunks.pollFirst();
        if (first == null) {
            return false;
        }
        Chunk oldest = first;
        if (first.written() > 0) {
            oldest = chunks.pollFirst();
            chunks.addFirst(first);
        }
        if (oldest == null) {
            return false;
        }
        dropped += oldest.messages;
        bytes -= oldest.end - oldest.written();
        free(oldest);
        return true;
    }

    private void free(Chunk chunk) {
        memory -= chunk.buffer.capacity();
        chunk.buffer.clear();
        chunk.begin = 0;
        chunk.end = 0;
        chunk.messages = 0;
        if (chunk.buffer.capacity() == CHUNK_BYTES && spare.size() < SPARE_CHUNKS) {
            spare.addFirst(chunk);
        }
    }

    boolean isEmpty() {
        return bytes == 0;
    }

    /** How many bytes wait. */
    long bytes() {
        return bytes;
    }

    /** How many bytes have come into it, ever. */
    long added() {
        return added;
    }

    /** How many bytes have left it, ever: handed on or dropped. */
    long taken() {
        return added - bytes;
    }

    /** Of memory, at the most. */
    long bytesMax() {
        return bytesMax;
    }

    /** How many messages were dropped for want of room, ever. */
    long dropped() {
        return dropped;
    }

    /** The oldest bytes that were not handed on, or null. What is read from it is handed on: say so to {@link #handedOn}. */
    @Nullable
    ByteBuffer oldest() {
        Chunk first = chunks.peekFirst();
        return first == null ? null : first.buffer.limit(first.end);
    }

    /**
     * Takes note of what was read from {@link #oldest}.
     *
     * @param count how many bytes
     * @return how many messages are known to have been handed on in full since the last time
     */
    int handedOn(int count) {
        bytes -= count;
        Chunk first = chunks.getFirst();
        if (first.written() < first.end) {
            return 0;
        }
        int messages = first.messages;
        chunks.removeFirst();
        free(first);
        return messages;
    }

    /**
     * After a break: whole messages that were handed on are gone, the one that was cut is the oldest again.
     *
     * @return how many messages are gone
     */
    int rewind() {
        Chunk first = chunks.peekFirst();
        if (first == null) {
            return 0;
        }
        byte[] in = first.buffer.array();
        int gone = 0;
        int at = first.begin;
        for (int next = at; next < first.written(); ) {
            next = Frames.next(in, at, first.end);
            if (next <= first.written()) {
                at = next;
                gone++;
            }
        }
        bytes += first.written() - at;
        first.begin = at;
        first.messages -= gone;
        first.buffer.position(at);
        return gone;
    }

    /** Hands out all messages that wait, oldest first, and is empty then; to be called after {@link #rewind}. */
    void drain(Each each) {
        for (Chunk chunk = chunks.pollFirst(); chunk != null; chunk = chunks.pollFirst()) {
            byte[] in = chunk.buffer.array();
            for (int at = chunk.begin, next; at < chunk.end; at = next) {
                next = Frames.next(in, at, chunk.end);
                each.message(in, at, next);
            }
            bytes -= chunk.end - chunk.begin;
            free(chunk);
        }
    }
}
