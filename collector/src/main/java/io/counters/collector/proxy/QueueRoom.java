package io.counters.collector.proxy;

import io.counters.collector.common.FaultLog;
import io.counters.collector.common.Metrics;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The memory of all queues together, in chunks of {@value #CHUNK_BYTES} bytes, with an upper limit. When a queue needs a
 * chunk and the limit is reached, the longest queue loses its oldest chunk. So a server that is down can fill the memory, but
 * takes none from a server whose queue is shorter. Chunks are reused, so nothing is allocated while queues empty as fast as
 * they fill. For one thread.
 */
final class QueueRoom {
    static final int CHUNK_BYTES = 64 * 1024;

    /** The minimum for each queue: the chunk that is being written out, and the one that is being filled. */
    static final int QUEUE_BYTES_MIN = 2 * CHUNK_BYTES;

    private static final int SPARE_CHUNKS = 16;

    private final long bytesMax;
    private final FaultLog faults;
    private final List<MessageQueue> queues = new ArrayList<>();
    private final ArrayDeque<Chunk> spare = new ArrayDeque<>();
    private long bytes;

    /** Consecutive messages; those from {@code begin} on have perhaps not been completely passed to the kernel. */
    static final class Chunk {
        final ByteBuffer buffer;
        int begin;
        int end;
        int messages;

        private Chunk(int size) {
            buffer = ByteBuffer.allocate(size);
        }

        /** The end of what was passed to the kernel; it may lie within a message. */
        int written() {
            return buffer.position();
        }

        int room() {
            return buffer.capacity() - end;
        }

        int size() {
            return buffer.capacity();
        }
    }

    /** @param bytesMax the limit on memory, at least {@link #QUEUE_BYTES_MIN} for each queue */
    QueueRoom(long bytesMax, FaultLog faults, Metrics metrics) {
        this.bytesMax = bytesMax;
        this.faults = faults;
        metrics.gauge("proxy_queue_bytes", "Size of all queues together.", () -> bytes);
        metrics.gauge("proxy_queue_bytes_max", "The maximum size of all queues together.", () -> bytesMax);
    }

    /**
     * Makes a queue that uses this memory.
     *
     * @param server the server's address, for messages
     */
    MessageQueue queue(String server) {
        MessageQueue fresh = new MessageQueue(this, server);
        queues.add(fresh);
        return fresh;
    }

    /** Removes a queue, which must have returned all its chunks. */
    void leave(MessageQueue queue) {
        queues.remove(queue);
    }

    /** The limit on the memory of all queues, in bytes. */
    long bytesMax() {
        return bytesMax;
    }

    /** An empty chunk with room for a message of this length. */
    Chunk take(int length) {
        int size = Math.max(CHUNK_BYTES, length);
        while (true) {
            if (size == CHUNK_BYTES && !spare.isEmpty()) {
                return spare.removeFirst();
            }
            if (bytes + size <= bytesMax || !makeRoom()) {
                bytes += size;
                return new Chunk(size);
            }
        }
    }

    /** Returns a chunk. */
    void give(Chunk chunk) {
        if (chunk.size() == CHUNK_BYTES && spare.size() < Math.max(SPARE_CHUNKS, queues.size())) {
            chunk.buffer.clear();
            chunk.begin = 0;
            chunk.end = 0;
            chunk.messages = 0;
            spare.addFirst(chunk);
        } else {
            bytes -= chunk.size();
        }
    }

    /** Frees some memory; returns false if only partly written chunks are left, which cannot be dropped. */
    private boolean makeRoom() {
        if (spare.pollFirst() != null) {
            bytes -= CHUNK_BYTES;
            return true;
        }
        MessageQueue longest = longest();
        if (longest == null) {
            return false;
        }
        longest.dropOldest();
        faults.warn(
                "queue_bytes",
                () -> "queue_bytes: the queues of all servers have reached " + bytesMax
                        + " bytes; the oldest messages for " + longest.server()
                        + ", which has the longest queue, are dropped. Restore that server, or raise queue_bytes or -Xmx");
        return true;
    }

    private @Nullable MessageQueue longest() {
        MessageQueue longest = null;
        for (MessageQueue queue : queues) {
            if (queue.canDrop() && (longest == null || queue.memory() > longest.memory())) {
                longest = queue;
            }
        }
        return longest;
    }
}
