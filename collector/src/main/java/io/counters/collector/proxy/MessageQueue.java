package io.counters.collector.proxy;

import io.counters.collector.proxy.QueueRoom.Chunk;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * Complete messages that wait for one server, oldest first, in chunks of memory that a {@link QueueRoom} supplies to all
 * queues. When its memory is full, the oldest messages are dropped, a chunk of complete messages at a time. For one thread.
 */
final class MessageQueue {
    private final QueueRoom room;
    private final String server;
    private final ArrayDeque<Chunk> chunks = new ArrayDeque<>();
    private long memory;
    private long bytes;
    private long added;
    private long dropped;

    /** Receives complete messages. */
    @FunctionalInterface
    interface Each {
        void message(byte[] in, int begin, int end);
    }

    /** Made by {@link QueueRoom#queue}. */
    MessageQueue(QueueRoom room, String server) {
        this.room = room;
        this.server = server;
    }

    /** The server's address, for messages. */
    String server() {
        return server;
    }

    /** Appends the message {@code in[begin, end)}. */
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

    /** Whether there is a chunk to drop; one that has been sent in part cannot be dropped. */
    boolean canDrop() {
        Chunk first = chunks.peekFirst();
        return first != null && (first.written() == first.begin || chunks.size() > 1);
    }

    /** Drops the oldest chunk, or the next one if the oldest has been sent in part. */
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

    /** How many bytes were added so far. */
    long added() {
        return added;
    }

    /** How many bytes were sent or dropped so far. */
    long taken() {
        return added - bytes;
    }

    /** Memory of its chunks, in bytes. */
    long memory() {
        return memory;
    }

    /** How many messages were dropped so far because there was no room. */
    long dropped() {
        return dropped;
    }

    /** The oldest bytes that were not sent, or null. After reading from this buffer call {@link #handedOn}. */
    @Nullable
    ByteBuffer oldest() {
        Chunk first = chunks.peekFirst();
        return first == null ? null : first.buffer.limit(first.end);
    }

    /**
     * Records what was read from {@link #oldest} and sent.
     *
     * @param count how many bytes
     * @return how many more messages are now known to have been sent completely
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
     * Prepares for another connection after one broke: removes the messages that were sent completely; the one that was cut
     * becomes the oldest, complete again.
     *
     * @return how many messages were removed
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
            next = MessageParser.next(in, at, first.end);
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

    /** Removes all waiting messages and passes them to {@code each}, oldest first. Call {@link #rewind} before it. */
    void drain(Each each) {
        for (Chunk chunk = chunks.pollFirst(); chunk != null; chunk = chunks.pollFirst()) {
            byte[] in = chunk.buffer.array();
            for (int at = chunk.begin, next; at < chunk.end; at = next) {
                next = MessageParser.next(in, at, chunk.end);
                each.message(in, at, next);
            }
            bytes -= chunk.end - chunk.begin;
            free(chunk);
        }
    }

    /** Discards what waits, and leaves the room. */
    void close() {
        for (Chunk chunk = chunks.pollFirst(); chunk != null; chunk = chunks.pollFirst()) {
            bytes -= chunk.end - chunk.written();
            free(chunk);
        }
        room.leave(this);
    }
}
