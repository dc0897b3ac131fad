package io.counters.collector.http;

import io.netty.handler.codec.http.HttpRequest;
import org.jspecify.annotations.Nullable;

/**
 * A request that has arrived completely, or that cannot be read to its end.
 *
 * @param heldBytes memory that is reserved for the body, and must be released once
 * @param refusal the reason why nothing after this request can be read; null for a complete one
 */
@SuppressWarnings("ArrayRecordComponent") // Handed on at once.
record ArrivedRequest(
        HttpRequest head,
        byte[] body,
        long heldBytes,
        @Nullable RequestException refusal) {}
