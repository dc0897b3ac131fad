package io.counters.collector.publish;

import io.counters.collector.common.FaultLog;
import io.counters.collector.publish.Outcome.Pause;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.file.NoSuchFileException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BiConsumer;
import okhttp3.Call;
import okhttp3.Callback;
import okhttp3.ConnectionPool;
import okhttp3.Dispatcher;
import okhttp3.Headers;
import okhttp3.HttpUrl;
import okhttp3.MediaType;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;
import okio.BufferedSink;
import org.jspecify.annotations.Nullable;

/**
 * The requests of an {@link HttpSink}, over several keep-alive connections at once. {@link #send} is called by the sink's
 * thread; answers are read by okhttp's threads.
 */
final class Requests {
    /** The maximum characters of an answer: for each point of the request, for the rest, and as a share of the heap. */
    private static final long ANSWER_CHARS_A_POINT = 1024;

    private static final long ANSWER_CHARS_MIN = 64 * 1024;
    private static final int ANSWER_HEAP_SHARE = 128;

    /** The bodies of all requests in flight; a single one may be larger. */
    private static final int IN_FLIGHT_HEAP_SHARE = 8;

    private final HttpUrl url;
    private final Headers headers;
    private final PointFormat format;
    private final String sink;
    private final InstantSource clock;
    private final OkHttpClient client;
    private final ResponsePolicy policy;
    private final BiConsumer<Piece, Outcome> finished;
    private final BiConsumer<Piece, IOException> gone;
    private final FaultLog faults;
    private final long inFlightMax;
    private final long answerMax;
    private final AtomicLong inFlight = new AtomicLong();
    private volatile boolean closing;

    /**
     * Opens no connection yet.
     *
     * @param url to which requests are sent
     * @param headers of every request
     * @param sink as messages name it
     * @param clock the wall clock, for answers that ask to wait until a date
     * @param finished gets the outcome of each piece exactly once, even after an error, because otherwise its tick would never
     *     end; on any thread
     * @param gone gets a finished piece that cannot be sent, because the file of its tick is damaged or missing
     * @param heapBytes the heap, which limits the sizes of answers and of what is in flight
     */
    Requests(
            HttpUrl url,
            Headers headers,
            PointFormat format,
            String sink,
            InstantSource clock,
            int connections,
            long heapBytes,
            ResponsePolicy policy,
            BiConsumer<Piece, Outcome> finished,
            BiConsumer<Piece, IOException> gone,
            FaultLog faults) {
        this.url = url;
        this.headers = headers;
        this.format = format;
        this.sink = sink;
        this.clock = clock;
        this.policy = policy;
        this.finished = finished;
        this.gone = gone;
        this.faults = faults;
        inFlightMax = heapBytes / IN_FLIGHT_HEAP_SHARE;
        answerMax = heapBytes / ANSWER_HEAP_SHARE;
        Dispatcher dispatcher = new Dispatcher(callers());
        dispatcher.setMaxRequests(connections);
        dispatcher.setMaxRequestsPerHost(connections);
        client = new OkHttpClient.Builder()
                .dispatcher(dispatcher)
                .connectTimeout(Duration.ofSeconds(2))
                .readTimeout(Duration.ZERO)
                .callTimeout(format.patience())
                .followRedirects(false)
                .connectionPool(new ConnectionPool(connections, 1, TimeUnit.MINUTES))
                .build();
    }

    /** okhttp bounds their number. If a thread fails, its request has failed, and the next request gets a new thread. */
    private ExecutorService callers() {
        return new ThreadPoolExecutor(0, Integer.MAX_VALUE, 1, TimeUnit.MINUTES, new SynchronousQueue<>(), work -> {
            Thread thread = new Thread(work, "counters-sink-call");
            thread.setDaemon(true);
            thread.setUncaughtExceptionHandler((ended, fault) ->
                    faults.warn(sink + " call", "a request of a sink failed: " + sink + ": " + fault));
            return thread;
        });
    }

    /** The size of the requests that are in flight. */
    long inFlightBytes() {
        return inFlight.get();
    }

    /** Whether what is in flight leaves room for this piece. */
    boolean hasRoom(Piece piece) {
        long bytes = inFlight.get();
        return bytes == 0 || bytes + piece.bytes() <= inFlightMax;
    }

    /** Sends a piece that there is room for; does not wait for the answer. */
    void send(Piece piece) {
        Exchange exchange = new Exchange(piece);
        inFlight.addAndGet(exchange.bytes);
        exchange.begin();
    }

    /** From now on, failures are not logged. */
    void closing() {
        closing = true;
    }

    /** Cancels what is in flight. */
    void close() {
        client.dispatcher().cancelAll();
        client.dispatcher().executorService().shutdown();
        client.connectionPool().evictAll();
    }

    /** One request. Its piece is finished exactly once, even after an error; otherwise its tick would never end. */
    private final class Exchange extends RequestBody implements Callback {
        private final Piece piece;
        private final int bytes;
        private final AtomicBoolean isFinished = new AtomicBoolean();
        /** Created in advance, while there is memory for it. */
        private final Outcome again;

        private byte[] body = {};
        private volatile boolean reached;

        Exchange(Piece piece) {
            this.piece = piece;
            bytes = piece.bytes();
            again = Outcome.unchanged(piece, Pause.SERVER);
        }

        void begin() {
            try {
                body = piece.body();
                client.newCall(new Request.Builder()
                                .url(url)
                                .headers(headers)
                                .post(this)
                                .build())
                        .enqueue(this);
            } catch (TickFile.DamagedFile | NoSuchFileException missing) {
                lose(missing);
            } catch (IOException unreadable) {
                finish(new Answer.Trouble("gets no request, because its spool cannot be read: " + unreadable, false));
            } catch (RuntimeException | Error fault) {
                failed(fault);
            }
        }

        /** It is among the headers. */
        @Override
        public @Nullable MediaType contentType() {
            return null;
        }

        @Override
        public long contentLength() {
            return body.length;
        }

        @Override
        public void writeTo(BufferedSink out) throws IOException {
            reached = true;
            out.write(body);
        }

        @Override
        public void onResponse(Call call, Response response) {
            Answer answer;
            try (response) {
                BoundedText text = new BoundedText(
                        new InputStreamReader(response.body().byteStream(), format.charset()),
                        Math.min(answerMax, ANSWER_CHARS_MIN + piece.points * ANSWER_CHARS_A_POINT));
                Duration wait = RetryAfter.of(response.header("Retry-After"), clock.instant());
                answer = format.read(response.code(), wait, text, piece.points);
                if (response.code() != 204 && !text.isEnded()) {
                    // Otherwise okhttp would read on for a while to reuse the connection.
                    call.cancel();
                }
            } catch (IOException half) {
                answer = new Answer.Trouble("sent an incomplete answer: " + FaultLog.shown(half.toString()), true);
            } catch (RuntimeException | Error fault) {
                failed(fault);
                return;
            }
            finish(answer);
        }

        @Override
        public void onFailure(Call call, IOException failure) {
            String why = FaultLog.shown(failure.toString());
            finish(new Answer.Trouble("cannot be reached (" + why + ")", reached && !call.isCanceled()));
        }

        private void finish(Answer answer) {
            Outcome outcome;
            try {
                outcome = answer instanceof Answer.Trouble && closing ? again : policy.judge(piece, answer);
            } catch (TickFile.DamagedFile damaged) {
                // To send it again would not help.
                lose(damaged);
                return;
            } catch (IOException | RuntimeException | Error fault) {
                failed(fault);
                return;
            }
            finish(outcome);
        }

        private void lose(IOException why) {
            finish(Outcome.unchanged(piece, Pause.NONE));
            gone.accept(piece, why);
        }

        private void failed(Throwable fault) {
            finish(again);
            faults.warn(sink + " fault", "a request to " + sink + " failed and is sent again: " + fault);
        }

        private void finish(Outcome outcome) {
            if (isFinished.compareAndSet(false, true)) {
                inFlight.addAndGet(-bytes);
                finished.accept(piece, outcome);
            }
        }
    }
}
