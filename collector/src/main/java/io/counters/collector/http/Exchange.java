package io.counters.collector.http;

import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import java.util.Objects;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * One request of a {@link Connection}, and how it is answered: finds the route, creates the answer or lets a worker create it
 * if that may take time, and hands it to the connection, which writes it. Everything happens on the event loop, except what
 * the worker does.
 */
final class Exchange {
    static final String RETRY_SECONDS = "5";

    /** The length of a body of which not all is there yet. */
    static final int MORE = -1;

    private final Connection connection;
    private final HttpPort port;
    private String asked = "a connection to the page";
    private @Nullable Route route;
    private @Nullable Request request;
    private long heldBytes;
    private boolean isOver;
    private boolean isApi;
    private boolean isHead;
    private boolean takesChunks;
    private boolean keepsAlive;
    private @Nullable Lane lane;
    private boolean isAtWorker;
    private @Nullable Response answer;
    private @Nullable Throwable fault;

    Exchange(Connection connection, HttpPort port) {
        this.connection = connection;
        this.port = port;
    }

    void begin(ArrivedRequest complete) {
        HttpRequest head = complete.head();
        heldBytes = complete.heldBytes();
        isApi = port.listening.answersPrograms(head.uri());
        isHead = head.method().name().equals("HEAD");
        takesChunks = head.protocolVersion().compareTo(HttpVersion.HTTP_1_1) >= 0;
        keepsAlive = complete.refusal() == null && HttpUtil.isKeepAlive(head);
        try {
            if (complete.refusal() != null) {
                throw complete.refusal();
            }
            find(complete);
            Route found = Objects.requireNonNull(route);
            if (found.work() == Route.Work.NONE) {
                Response made = found.answer().apply(Objects.requireNonNull(request));
                connection.send(isTrusted(head) ? made : made.withoutDetails());
                return;
            }
            lane = port.lane(found.work());
            if (!lane.enter(this)) {
                lane = null;
                throw port.refuse(
                        "busy", port.busy("too many requests wait already; try again in " + RETRY_SECONDS + " s"));
            }
        } catch (RequestException refusal) {
            connection.send(refusal);
        }
    }

    /** @throws RequestException when there is no route, or it may not be used */
    private void find(ArrivedRequest complete) {
        HttpRequest head = complete.head();
        RequestException foreign = port.origins.refusedHost(head, port.number());
        if (foreign != null) {
            throw port.refuse("host", foreign);
        }
        String method = head.method().name();
        String path = Routes.path(head.uri());
        if (!isTrusted(head) && !Route.isForStrangers(method, path)) {
            throw port.refuseStranger(head.headers(), connection.peer);
        }
        Route found = port.routes.find(method, path);
        if (found.changes()) {
            foreign = port.origins.refusedSite(head.headers(), port.number());
            if (foreign != null) {
                throw port.refuse("site", foreign);
            }
        }
        asked = found.method() + " " + found.path();
        route = found;
        request = new Request(method, head.uri(), found.rest(path), head.headers(), complete.body());
    }

    private boolean isTrusted(HttpRequest head) {
        return port.listening.guard().trusts(head.headers(), connection.peer);
    }

    /** Lets a worker create the answer; called by the lane. */
    void make() {
        try {
            port.workers().execute(this::makeOnWorker);
            isAtWorker = true;
        } catch (Throwable cannot) {
            connection.failed(cannot);
        }
    }

    /** An error of the route ends this request only; an error that keeps the result from the event loop ends the program. */
    private void makeOnWorker() {
        try {
            answer = Objects.requireNonNull(route).answer().apply(Objects.requireNonNull(request));
        } catch (RequestException refusal) {
            answer = refusal.answer(isApi);
        } catch (Throwable thrown) {
            fault = thrown;
        }
        try {
            port.loop.execute(connection.guarded(this::made));
        } catch (RejectedExecutionException closed) {
            // The port is closed, so the answer is not needed.
        }
    }

    private void made() {
        isAtWorker = false;
        Response result = answer;
        Throwable thrown = fault;
        answer = null;
        fault = null;
        if (isOver) {
            releaseBody();
        }
        if (!connection.awaits(this)) {
            leaveLane();
        } else if (thrown != null) {
            connection.failed(thrown);
        } else if (result != null) {
            connection.send(result);
        }
    }

    /** Makes room for the next request, unless a worker is still busy with this one. */
    void leaveLane() {
        Lane left = lane;
        if (left != null && !isAtWorker) {
            lane = null;
            left.leave(this);
        }
    }

    /** @param length of the body, or {@link #MORE} */
    HttpResponse head(Response sent, int length) {
        HttpResponse head = new DefaultHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.valueOf(sent.status()));
        keepsAlive &= length != MORE || takesChunks;
        HttpHeaders headers = head.headers();
        headers.set(HttpHeaderNames.CONTENT_TYPE, sent.type());
        headers.set(HttpHeaderNames.CACHE_CONTROL, HttpHeaderValues.NO_STORE);
        headers.set("X-Content-Type-Options", "nosniff");
        headers.set("Referrer-Policy", "no-referrer");
        headers.set("Cross-Origin-Resource-Policy", "same-origin");
        headers.set("Content-Security-Policy", StaticFile.POLICY_OF_ANSWERS);
        sent.headers().forEach(headers::set);
        if (length != MORE && sent.status() != HttpResponseStatus.NOT_MODIFIED.code()) {
            headers.set(HttpHeaderNames.CONTENT_LENGTH, length);
        } else if (length == MORE && !isHead && takesChunks) {
            headers.set(HttpHeaderNames.TRANSFER_ENCODING, HttpHeaderValues.CHUNKED);
        }
        if (!keepsAlive) {
            headers.set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
        } else if (!takesChunks) {
            headers.set(HttpHeaderNames.CONNECTION, HttpHeaderValues.KEEP_ALIVE);
        }
        return head;
    }

    /** Why another web site may not ask this; null if it is none. */
    @Nullable
    RequestException refusedSite() {
        RequestException foreign =
                port.origins.refusedSite(Objects.requireNonNull(request).headers(), port.number());
        return foreign == null ? null : port.refuse("site", foreign);
    }

    /** The refusal when there is no answer in time. */
    RequestException late(int seconds) {
        Route slow = Objects.requireNonNull(route);
        return port.busy("there is no answer after " + seconds + " s; "
                + (slow.work() == Route.Work.DISK
                        ? "the disk hangs, or this program is busy"
                        : "this program is busy or hangs")
                + (slow.changes() ? "; what was asked for may still take effect, so look before you try again" : ""));
    }

    boolean isApi() {
        return isApi;
    }

    boolean isHead() {
        return isHead;
    }

    /** Whether the connection stays open for the next request. */
    boolean keepsAlive() {
        return keepsAlive;
    }

    void endConnection() {
        keepsAlive = false;
    }

    /**
     * Called when the answer was sent, or cannot be sent any more, so that an idle connection keeps no body. A worker that is
     * still busy with the body keeps its memory reserved.
     */
    void end() {
        request = null;
        isOver = true;
        if (!isAtWorker) {
            releaseBody();
        }
    }

    private void releaseBody() {
        port.release(connection.peer.address(), heldBytes);
        heldBytes = 0;
    }

    /** What was asked for, for the log. */
    @Override
    public String toString() {
        return asked;
    }
}
