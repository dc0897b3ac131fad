package io.counters.collector.otlp;

import com.google.gson.JsonObject;
import com.google.protobuf.CodedOutputStream;
import io.counters.collector.http.RequestException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;

/**
 * The body of an error: {@code google.rpc.Status}, of which OTLP uses
 *
 * <pre>
 *   int32 code = 1;       a code of gRPC
 *   string message = 2;
 * </pre>
 */
record RpcStatus(int code, String message) {
    private static final int INVALID_ARGUMENT = 3;
    private static final int RESOURCE_EXHAUSTED = 8;

    static RpcStatus of(RequestException refusal) {
        boolean isFull = refusal.status() == 413 || refusal.status() == 429;
        return new RpcStatus(isFull ? RESOURCE_EXHAUSTED : INVALID_ARGUMENT, String.valueOf(refusal.getMessage()));
    }

    byte[] protobuf() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try {
            CodedOutputStream out = CodedOutputStream.newInstance(bytes);
            out.writeInt32(1, code);
            out.writeString(2, message);
            out.flush();
        } catch (IOException impossible) {
            throw new UncheckedIOException("it is written to memory", impossible);
        }
        return bytes.toByteArray();
    }

    String json() {
        JsonObject document = new JsonObject();
        document.addProperty("code", code);
        document.addProperty("message", message);
        return document.toString();
    }
}
