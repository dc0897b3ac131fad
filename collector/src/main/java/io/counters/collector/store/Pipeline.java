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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
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
 * window at the most. A window is two halves: one is answered while the next is asked.
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
         * Sends the requests of a batch, all to its server, and answers each once the server has answered, or once it is
         * certain that it never will; never by mere time.
         *
         * @throws RuntimeException when the requests not yet answered were not sent
         */
        void ask(Batch batch);
    }

    /** Requests that one server was sent together, and its answers, which may come on any thread. */
    static final class Batch {
        private final String server;
        private final List<Push> requests;
        private final AtomicReferenceArray<@Nullable Reply> answers;
        private final CountDownLatch left;
        private long deadline;

        Batch(String server, List<Push> requests) {
            this.server = server;
            this.requests = requests;
            answers = new AtomicReferenceArray<>(requests.size());
            left = new CountDownLatch(requests.size());
        }

        String server() {
            return server;
        }

        int size() {
            return requests.size();
        }

        Push request(int place) {
            return requests.get(place);
        }

        /** The answers so far; null for those that are not there yet. */
        List<@Nullable Reply> answers() {
            List<@Nullable Reply> so = new ArrayList<>();
            for (int place = 0; place < requests.size(); place++) {
                so.add(answers.get(place));
            }
            return so;
        }

        /** Takes the answer to a request; the first one stands. */
        void answer(int place, Reply reply) {
            if (answers.compareAndSet(place, null, reply)) {
                left.countDown();
            }
        }

        /** Answers all that has no answer yet, and won't get one. */
        void answerRest(Unknown why) {
            for (int place = 0; left.getCount() > 0 && place < requests.size(); place++) {
                answer(place, why);
            }
        }

        /** Asks by a client that takes requests one by one. */
        @SuppressWarnings("FutureReturnValueIgnored") // What comes of it is answered.
        void askEach(Function<Push, CompletableFuture<Reply>> ask) {
            for (int i = 0; i < requests.size(); i++) {
                int place = i;
                CompletableFuture<Reply> answer;
                try {
                    answer = ask.apply(requests.get(place));
                } catch (RuntimeException | Error notSent) {
                    answer = CompletableFuture.failedFuture(notSent);
                }
                answer.whenComplete((reply, failure) -> answer(place, reply != null ? reply : unknown(failure)));
            }
        }

        /** Never throws: an answer that could not be made would be waited for for ever. */
        private Unknown unknown(@Nullable Throwable why) {
            try {
                return new Unknown(reason(server, why));
            } catch (OutOfMemoryError evenForThat) {
                return NO_MEMORY;
            }
        }
    }

    private static final Unknown NO_MEMORY = new Unknown("this program is out of memory; give it more with -Xmx");

    /** What went wrong at a server; our own words as they are, others with their kind. */
    private static String reason(String server, @Nullable Throwable why) {
        Throwable cause = why instanceof CompletionException && why.getCause() != null ? why.getCause() : why;
        return cause instanceof Unavailable ours ? String.valueOf(ours.getMessage()) : server + ": " + cause;
    }

    /** A server can't be asked, or does not answer as it should; the message names it. */
    static final class Unavailable extends IllegalStateException {
        private static final long serialVersionUID = 1;

        Unavailable(String why) {
            super(why);
        }
    }

    private final Client client;
    private final int half;
    private final LongSupplier nanoClock;
    private final Map<String, Deque<BooleanSupplier>> late = new HashMap<>();

    /** @param window the most requests under way; the next half is asked while the one before is answered */
    Pipeline(Client client, int window, LongSupplier nanoClock) {
        this.client = client;
        this.half = window / 2;
        this.nanoClock = nanoClock;
    }

    /** As {@link Store#send}. After a half of which nothing was answered, nothing more is taken. */
    void send(Store.Requests requests, Store.Replies replies) {
        List<Batch> before = List.of();
        List<Push> some = requests.take(half);
        while (!some.isEmpty()) {
            List<Batch> asked = ask(some, replies);
            boolean answers = before.isEmpty() || settle(before, replies);
            before = asked;
            some = answers && !asked.isEmpty() ? requests.take(half) : List.of();
        }
        settle(before, replies);
    }

    private List<Batch> ask(List<Push> requests, Store.Replies replies) {
        Set<String> hanging = hanging();
        Map<String, List<Push>> byServer = new LinkedHashMap<>();
        for (Push request : requests) {
            String server = client.server(request.key());
            if (!hanging.isEmpty() && hanging.contains(server)) {
                replies.settle(request, new Unknown(server + " still hangs"));
            } else {
                byServer.computeIfAbsent(server, fresh -> new ArrayList<>()).add(request);
            }
        }
        List<Batch> batches = new ArrayList<>();
        byServer.forEach((server, its) -> batches.add(new Batch(server, its)));
        for (Batch batch : batches) {
            try {
                client.ask(batch);
            } catch (RuntimeException | OutOfMemoryError notSent) {
                batch.answerRest(batch.unknown(notSent));
            }
            batch.deadline = deadline();
        }
        return batches;
    }

    /** Returns whether anything was answered. */
    private boolean settle(List<Batch> asked, Store.Replies replies) {
        boolean answers = false;
        for (Batch batch : asked) {
            await(batch);
            if (batch.left.getCount() > 0) {
                late.computeIfAbsent(batch.server, server -> new ArrayDeque<>()).add(() -> batch.left.getCount() == 0);
            }
            List<@Nullable Reply> answered = batch.answers();
            for (int place = 0; place < batch.size(); place++) {
                Reply reply = answered.get(place);
                if (reply == null) {
                    reply = new Unknown(batch.server + " gave no answer within " + DEADLINE_MILLIS + " ms");
                }
                answers |= !(reply instanceof Unknown);
                replies.settle(batch.request(place), reply);
            }
        }
        return answers;
    }

    /** The servers that have not yet answered all that they were asked. */
    private Set<String> hanging() {
        Set<String> hanging = new HashSet<>();
        late.entrySet().removeIf(server -> {
            Deque<BooleanSupplier> unanswered = server.getValue();
            // In the order they were asked in, and so answered in.
            while (!unanswered.isEmpty() && unanswered.peek().getAsBoolean()) {
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
        return askServer(client.server(key), question);
    }

    /** As {@link #ask(String, Supplier)}, by the server's name. */
    <T> T askServer(String server, Supplier<CompletableFuture<T>> question) throws IOException {
        if (hanging().contains(server)) {
            throw new IOException(server + " still hangs");
        }
        try {
            CompletableFuture<T> answer = question.get();
            try {
                return await(nanos -> answer.get(nanos, TimeUnit.NANOSECONDS), deadline());
            } catch (TimeoutException hangs) {
                late.computeIfAbsent(server, fresh -> new ArrayDeque<>()).add(answer::isDone);
                throw new IOException(server + " gave no answer within " + DEADLINE_MILLIS + " ms", hangs);
            }
        } catch (ExecutionException failed) {
            throw new IOException(reason(server, failed.getCause()), failed);
        } catch (RuntimeException failed) {
            throw new IOException(reason(server, failed), failed);
        }
    }

    private long deadline() {
        return nanoClock.getAsLong() + TimeUnit.MILLISECONDS.toNanos(DEADLINE_MILLIS);
    }

    private interface Wait<T> {
        T until(long nanos) throws InterruptedException, ExecutionException, TimeoutException;
    }

    private void await(Batch batch) {
        try {
            await(nanos -> batch.left.await(nanos, TimeUnit.NANOSECONDS), batch.deadline);
        } catch (ExecutionException | TimeoutException never) {
            throw new IllegalStateException(never);
        }
    }

    /** Waits out an interruption: a store answers within its deadline anyway, and what was sent is worth knowing. */
    private <T> T await(Wait<T> answer, long deadline) throws ExecutionException, TimeoutException {
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return answer.until(Math.max(0, deadline - nanoClock.getAsLong()));
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
