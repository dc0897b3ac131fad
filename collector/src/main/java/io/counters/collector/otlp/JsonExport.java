package io.counters.collector.otlp;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.util.JsonFormat;
import io.counters.collector.http.Request;
import io.counters.collector.http.RequestException;
import io.opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest;
import java.io.IOException;

/** Converts a request in JSON to protobuf, within the memory and the time that there is for it. */
final class JsonExport {
    private static final JsonFormat.Parser JSON = JsonFormat.parser().ignoringUnknownFields();

    /** The time for reading a number grows with the square of its length: a million digits need many seconds. */
    private static final int DIGITS_MAX = 10_000;

    /** Of a character in JSON: a backslash, u and four hexadecimal digits. */
    private static final int ESCAPE_LENGTH = 6;

    /** Heap bytes for each byte of the text, at most: the text itself, the values in it, and the protobuf. */
    static final int BYTE_COST = 8;

    /**
     * Heap bytes for each opening bracket, colon and comma, at most: an empty data point, which is two of them, needs 190, or 260 if it is
     * one of a histogram.
     */
    private static final int MARK_COST = 128;

    private JsonExport() {}

    /**
     * The request in protobuf.
     *
     * @throws IOException if it is none
     * @throws RequestException if it needs too much memory; the status is 413
     */
    static byte[] toProtobuf(Request request, OtlpSettings settings) throws IOException {
        ExportMetricsServiceRequest.Builder message = ExportMetricsServiceRequest.newBuilder();
        byte[] body = body(request, settings);
        if (cost(body) > settings.jsonMemoryBytes()) {
            throw tooLarge(
                    "converting this JSON needs more memory than the " + settings.jsonMemoryBytes()
                            + " bytes that there are for it",
                    true);
        }
        String text = new String(body, UTF_8);
        if (hasManyDigits(text)) {
            throw new IOException("more than " + DIGITS_MAX + " digits or escaped characters follow each other");
        }
        try {
            JSON.merge(text, message);
        } catch (InvalidProtocolBufferException wrong) {
            throw wrong;
        } catch (IllegalArgumentException | IllegalStateException wrong) {
            throw new IOException(wrong.getMessage(), wrong);
        }
        return message.build().toByteArray();
    }

    private static byte[] body(Request request, OtlpSettings settings) {
        try {
            return request.decompressed(settings.jsonBytesMax());
        } catch (RequestException refusal) {
            throw refusal.status() == 413
                    ? tooLarge(
                            String.valueOf(refusal.getMessage()), settings.jsonBytesMax() < OtlpSettings.JSON_BYTES_MAX)
                    : refusal;
        }
    }

    /** @param memoryHelps whether more memory would let it pass */
    private static RequestException tooLarge(String why, boolean memoryHelps) {
        return new RequestException(
                413,
                why + "; send protobuf (OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf) or smaller batches"
                        + (memoryHelps ? ", or raise --otlp-memory" : ""));
    }

    /** Heap bytes, at most. A mark in a text counts too. */
    private static long cost(byte[] json) {
        long marks = 0;
        for (byte one : json) {
            if (one == '{' || one == '[' || one == ':' || one == ',') {
                marks++;
            }
        }
        return (long) BYTE_COST * json.length + MARK_COST * marks;
    }

    /** Whether more digits follow each other than a number may have; an escape in a text may be one. */
    private static boolean hasManyDigits(String text) {
        int digits = 0;
        for (int i = 0; i < text.length() && digits <= DIGITS_MAX; i++) {
            boolean isEscape = text.startsWith("\\u", i);
            digits = isEscape || Character.isDigit(text.charAt(i)) ? digits + 1 : 0;
            i += isEscape ? ESCAPE_LENGTH - 1 : 0;
        }
        return digits > DIGITS_MAX;
    }
}
