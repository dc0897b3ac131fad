package io.counters.collector.proxy;

import io.counters.collector.proxy.QueueRoom.Chunk;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * Whole messages that wait for one server, oldest first, in chunks of memory that a {@link QueueRoom} has for all queues.
 * What is too much there is dropped from the old end, whole messages, a chunk of them at a time. For one thread.
 */
final class MessageQueue {
    private final QueueRoom room;
    private final String server;
    private final ArrayDeque<Chunk> chunks = new ArrayDeque<>();
    private long memory;
    private long bytes;
    private long added;
    private long dropped;

    /** Takes whole messages. */
    @FunctionalInterface
    interface Each {
        void message(byte[] in, int begin, int end);
    }

    /** Made by {@link QueueRoom#queue}. */
    MessageQueue(QueueRoom room, String server) {
        this.room = room;
        this.server = server;
    }

    /** Whom it is for, in words. */
    String server() {
        return server;
    }

    /** Puts the message {@code in[begin, end)} behind the others. */
    void add(byte[] in, int begin, int end) {
        int length = end - begin;
        Chunk last = chunks.peekLast();
        if (last == null || last.room() < length) {
            last = room.take(length);
            memory += last.size();
            chunks.addLast(last);
        }
        System.arraycopy(in, begin, last.buffer.array(), last.end, length);
        last.end += length;
        last.messages++;
        bytes += length;
        added += length;
    }

    /** Whether there is anything to drop but a chunk of which a message has been handed on in part. */
    boolean canDrop() {
        Chunk first = chunks.peekFirst();
        return first != null && (first.written() == first.begin || chunks.size() > 1);
    }

    /** Drops the oldest chunk, or where a message of that has been handed on in part, the next. */
    void dropOldest() {
        Chunk first = chunks.removeFirst();
        Chunk oldest = first;
        if (first.written() > first.begin) {
            oldest = chunks.removeFirst();
            chunks.addFirst(first);
        }
        dropped += oldest.messages;
        bytes -= oldest.end - oldest.written();
        free(oldest);
    }

    private void free(Chunk chunk) {
        memory -= chunk.size();
        room.give(chunk);
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

    /** How many bytes of memory it takes. */
    long memory() {
        return memory;
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

    /** Gives up what waits, and its place in the room. */
    void close() {
        for (Chunk chunk = chunks.pollFirst(); chunk != null; chunk = chunks.pollFirst()) {
            bytes -= chunk.end - chunk.written();
            free(chunk);
        }
        room.leave(this);
    }
}
