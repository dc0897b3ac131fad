package io.counters.collector.store;

import io.counters.collector.ledger.Push;
import io.counters.collector.ledger.Push.Reply;
import io.counters.collector.ledger.Push.Unknown;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What the servers of a store have been asked and have not answered yet. Called by one thread; answers may come on any.
 *
 * <p>The client libraries queue what a server that hangs is asked, without bound, and say nothing about it. So each
 * request has {@value #DEADLINE_MILLIS} ms. What has no answer by then stays where it is, as it may happen yet, on a
 * connection that is kept: whatever is asked later there comes after it. Until a server has answered all of that it is
 * asked nothing more, and nobody waits for it: it holds up the others for one deadline, and its queue holds one
 * window at the most.
 */
final class Pipeline {
    /** What is right for clients in which a request takes microseconds. */
    static final int WINDOW = 10_000;

    static final long DEADLINE_MILLIS = 1500;

    /** What a product's client does. */
    interface Client {
        /** The server that has a key, as the log names it. Never throws. */
        String server(String key);

        /**
         * Sends a request.
         *
         * @return completed once the server has answered, or once it is certain that it never will; never by mere time
         * @throws RuntimeException when nothing was sent
         */
        CompletableFuture<Reply> ask(Push request);

        /** All requests of a window were given to {@link #ask}. */
        default void flush() {
            // For clients that gather what they write.
        }
    }

    private final Client client;
    private final int window;
    private final LongSupplier nanoClock;
    private final Map<String, Deque<CompletableFuture<?>>> late = new HashMap<>();

    /** @param window the most requests under way */
    Pipeline(Client client, int window, LongSupplier nanoClock) {
        this.client = client;
        this.window = window;
        this.nanoClock = nanoClock;
    }

    /** As {@link Store#send}. After a window of which nothing was answered, no other has to wait as long. */
    void send(List<Push> requests, Store.Replies replies) {
        boolean answers = true;
        for (int begin = 0; begin < requests.size(); begin += window) {
            List<Push> some = requests.subList(begin, Math.min(begin + window, requests.size()));
            if (answers) {
                answers = sendWindow(some, replies);
            } else {
                some.forEach(request -> replies.settle(request, new Unknown("what was asked before had no answer")));
            }
        }
    }

    private record Asked(Push request, String server, CompletableFuture<Reply> answer) {}

    /** Returns whether anything was answered. */
    private boolean sendWindow(List<Push> requests, Store.Replies replies) {
        Set<String> hanging = hanging();
        List<Asked> asked = new ArrayList<>(requests.size());
        for (Push request : requests) {
            String server = client.server(request.key());
            if (!hanging.isEmpty() && hanging.contains(server)) {
                replies.settle(request, new Unknown(server + " still hangs"));
                continue;
            }
            try {
                asked.add(new Asked(request, server, client.ask(request)));
            } catch (RuntimeException notSent) {
                replies.settle(request, unknown(server, notSent));
            }
        }
        client.flush();
        long deadline = deadline();
        boolean answers = false;
        for (Asked one : asked) {
            Reply reply;
            try {
                reply = await(one.answer, deadline);
            } catch (TimeoutException hangs) {
                late.computeIfAbsent(one.server, server -> new ArrayDeque<>()).add(one.answer);
                reply = new Unknown(one.server + " gave no answer within " + DEADLINE_MILLIS + " ms");
            } catch (ExecutionException failed) {
                reply = unknown(one.server, failed.getCause());
            } catch (RuntimeException failed) {
                reply = unknown(one.server, failed);
            }
            answers |= !(reply instanceof Unknown);
            replies.settle(one.request, reply);
        }
        return answers;
    }

    private static Unknown unknown(String server, @Nullable Throwable why) {
        return new Unknown(server + ": " + why);
    }

    /** The servers that have not yet answered all that they were asked. */
    private Set<String> hanging() {
        Set<String> hanging = new HashSet<>();
        late.entrySet().removeIf(server -> {
            Deque<CompletableFuture<?>> unanswered = server.getValue();
            // In the order they were asked in, and so answered in.
            while (!unanswered.isEmpty() && unanswered.peek().isDone()) {
                unanswered.poll();
            }
            if (!unanswered.isEmpty()) {
                hanging.add(server.getKey());
            }
            return unanswered.isEmpty();
        });
        return hanging;
    }

    /** Whether the server of this key has yet to answer what it was asked. */
    boolean hangs(String key) {
        return hanging().contains(client.server(key));
    }

    /**
     * Asks the server of a key for something else, and waits for it as long as for any answer.
     *
     * @throws IOException when it does not answer in time, or hangs already and so was not asked
     */
    <T> T ask(String key, Supplier<CompletableFuture<T>> question) throws IOException {
        String server = client.server(key);
        if (hanging().contains(server)) {
            throw new IOException(server + " still hangs");
        }
        try {
            CompletableFuture<T> answer = question.get();
            client.flush();
            try {
                return await(answer, deadline());
            } catch (TimeoutException hangs) {
                late.computeIfAbsent(server, fresh -> new ArrayDeque<>()).add(answer);
                throw new IOException(server + " gave no answer within " + DEADLINE_MILLIS + " ms", hangs);
            }
        } catch (ExecutionException failed) {
            throw new IOException(server + ": " + failed.getCause(), failed);
        } catch (RuntimeException failed) {
            throw new IOException(server + ": " + failed, failed);
        }
    }

    private long deadline() {
        return nanoClock.getAsLong() + TimeUnit.MILLISECONDS.toNanos(DEADLINE_MILLIS);
    }

    /** Waits out an interruption: a store answers within its deadline anyway, and what was sent is worth knowing. */
    private <T> T await(CompletableFuture<T> answer, long deadline) throws ExecutionException, TimeoutException {
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return answer.get(Math.max(0, deadline - nanoClock.getAsLong()), TimeUnit.NANOSECONDS);
                } catch (InterruptedException again) {
                    interrupted = true;
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
