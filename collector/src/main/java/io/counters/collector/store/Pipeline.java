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
 * The requests to the servers of a store that have no answer yet. Called by one thread; answers may come on any.
 *
 * <p>The client libraries queue requests to a server that hangs, without bound, and do not report it. So each request
 * has {@value #DEADLINE_MILLIS} ms. A request without an answer by then stays on its connection, which is kept, because
 * it may still be executed: later requests come after it on the same connection. Until a server has answered all of
 * these, it gets no more requests and is not waited for: it delays the others by one deadline, and its queue has at
 * most one window. A window is two halves: one is answered while the next is sent.
 */
final class Pipeline {
    /** A suitable window for clients in which a request takes microseconds. */
    static final int WINDOW = 10_000;

    static final long DEADLINE_MILLIS = 1500;

    /** A product's client. */
    interface Client {
        /** The server that has a key, as the log shows it. Never throws. */
        String server(String key);

        /**
         * Sends the requests of a batch, all to its server. Answers each one when the server has answered, or when it
         * is certain that the server never will; never because of a time limit alone.
         *
         * @throws RuntimeException if the requests that are not answered were not sent
         */
        void ask(Batch batch);
    }

    /** Requests that were sent together to one server, and its answers, which may come on any thread. */
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

        /** The answers so far; null for missing ones. */
        List<@Nullable Reply> answers() {
            List<@Nullable Reply> so = new ArrayList<>();
            for (int place = 0; place < requests.size(); place++) {
                so.add(answers.get(place));
            }
            return so;
        }

        /** Records the answer to a request; only the first one counts. */
        void answer(int place, Reply reply) {
            if (answers.compareAndSet(place, null, reply)) {
                left.countDown();
            }
        }

        /** Answers all requests that have no answer and will not get one. */
        void answerRest(Unknown why) {
            for (int place = 0; left.getCount() > 0 && place < requests.size(); place++) {
                answer(place, why);
            }
        }

        /** Sends the requests through a client that takes them one by one. */
        @SuppressWarnings("FutureReturnValueIgnored") // The result is the answer.
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

        /** Never throws: an answer that could not be created would be waited for forever. */
        private Unknown unknown(@Nullable Throwable why) {
            try {
                return new Unknown(reason(server, why));
            } catch (OutOfMemoryError evenForThat) {
                return NO_MEMORY;
            }
        }
    }

    private static final Unknown NO_MEMORY = new Unknown("the collector is out of memory; raise -Xmx");

    /** The reason of a failure at a server: our own messages unchanged, others with their type. */
    private static String reason(String server, @Nullable Throwable why) {
        Throwable cause = why instanceof CompletionException && why.getCause() != null ? why.getCause() : why;
        return cause instanceof Unavailable ours ? String.valueOf(ours.getMessage()) : server + ": " + cause;
    }

    /** A server cannot be reached, or does not answer correctly; the message names it. */
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

    /** @param window the most requests in progress; the next half is sent while the previous one is answered */
    Pipeline(Client client, int window, LongSupplier nanoClock) {
        this.client = client;
        this.half = window / 2;
        this.nanoClock = nanoClock;
    }

    /** As {@link Store#send}. After a half without any answer, no more requests are taken. */
    void send(Store.Requests requests, Store.Replies replies) {
        List<Batch> before = List.of();
        List<Push> some = requests.take(half);
        while (!some.isEmpty()) {
            List<Batch> asked = ask(some, replies);
            boolean answers = before.isEmpty() || awaitAnswers(before, replies);
            before = asked;
            some = answers && !asked.isEmpty() ? requests.take(half) : List.of();
        }
        awaitAnswers(before, replies);
    }

    private List<Batch> ask(List<Push> requests, Store.Replies replies) {
        Set<String> hanging = hanging();
        Map<String, List<Push>> byServer = new LinkedHashMap<>();
        for (Push request : requests) {
            String server = client.server(request.key());
            if (!hanging.isEmpty() && hanging.contains(server)) {
                replies.answered(request, new Unknown(server + " has not answered earlier requests"));
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
    private boolean awaitAnswers(List<Batch> asked, Store.Replies replies) {
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
                    reply = new Unknown(batch.server + " did not answer within " + DEADLINE_MILLIS + " ms");
                }
                answers |= !(reply instanceof Unknown);
                replies.answered(batch.request(place), reply);
            }
        }
        return answers;
    }

    /** The servers that have not answered all of their requests. */
    private Set<String> hanging() {
        Set<String> hanging = new HashSet<>();
        late.entrySet().removeIf(server -> {
            Deque<BooleanSupplier> unanswered = server.getValue();
            // They are answered in the order in which they were sent.
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

    /** Whether the server of this key has not answered all of its requests. */
    boolean hangs(String key) {
        return hanging().contains(client.server(key));
    }

    /**
     * Sends another kind of request to the server of a key, and waits for the answer as long as for any other.
     *
     * @throws IOException if it does not answer in time, or has not answered earlier requests and so was not asked
     */
    <T> T ask(String key, Supplier<CompletableFuture<T>> question) throws IOException {
        return askServer(client.server(key), question);
    }

    /** Like {@link #ask(String, Supplier)}, with the server's name. */
    <T> T askServer(String server, Supplier<CompletableFuture<T>> question) throws IOException {
        if (hanging().contains(server)) {
            throw new IOException(server + " has not answered earlier requests");
        }
        try {
            CompletableFuture<T> answer = question.get();
            try {
                return await(nanos -> answer.get(nanos, TimeUnit.NANOSECONDS), deadline());
            } catch (TimeoutException hangs) {
                late.computeIfAbsent(server, fresh -> new ArrayDeque<>()).add(answer::isDone);
                throw new IOException(server + " did not answer within " + DEADLINE_MILLIS + " ms", hangs);
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

    /**
     * Ignores an interrupt until the wait is over: it ends at the deadline anyway, and the results of what was sent are
     * needed.
     */
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
