package io.counters.collector.proxy;

import io.counters.collector.self.FaultLog;
import io.counters.collector.self.Self;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The memory of all queues together, in chunks of {@value #CHUNK_BYTES} bytes, bounded. When a queue needs a chunk and there
 * is none left, the queue that has most gives up its oldest: so a server that is away may fill the room, and takes none of it
 * from a server whose queue is short. Chunks are used again, so that nothing is allocated where queues empty as fast as they
 * fill. For one thread.
 */
final class QueueRoom {
    static final int CHUNK_BYTES = 64 * 1024;

    /** What each queue needs at least: the chunk that is being written out, and the one that is being filled. */
    static final int QUEUE_BYTES_MIN = 2 * CHUNK_BYTES;

    private static final int SPARE_CHUNKS = 16;

    private final long bytesMax;
    private final FaultLog faults;
    private final List<MessageQueue> queues = new ArrayList<>();
    private final ArrayDeque<Chunk> spare = new ArrayDeque<>();
    private long bytes;

    /** Messages one behind the other: those from {@code begin} on are not known to be in the kernel's hands. */
    static final class Chunk {
        final ByteBuffer buffer;
        int begin;
        int end;
        int messages;

        private Chunk(int size) {
            buffer = ByteBuffer.allocate(size);
        }

        /** How much of it was handed on; a message may be cut there. */
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

    /** @param bytesMax of memory, at least {@link #QUEUE_BYTES_MIN} for each queue */
    QueueRoom(long bytesMax, FaultLog faults, Self self) {
        this.bytesMax = bytesMax;
        this.faults = faults;
        self.gauge("proxy_queue_bytes", () -> bytes);
        self.gauge("proxy_queue_bytes_max", () -> bytesMax);
    }

    /**
     * A new queue in this room.
     *
     * @param server whom it is for, in words
     */
    MessageQueue queue(String server) {
        MessageQueue fresh = new MessageQueue(this, server);
        queues.add(fresh);
        return fresh;
    }

    /** Takes a queue out, which has given back what it had. */
    void leave(MessageQueue queue) {
        queues.remove(queue);
    }

    /** Of memory, for all queues. */
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

    /** Takes a chunk back. */
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

    /** Frees some memory; returns false where nothing can be dropped but what is half written. */
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
                () -> "queue_bytes: what waits for all servers has reached " + bytesMax
                        + " bytes; the oldest messages for " + longest.server()
                        + ", for which most waits, are dropped. Bring that server back, or give more memory (-Xmx)");
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
