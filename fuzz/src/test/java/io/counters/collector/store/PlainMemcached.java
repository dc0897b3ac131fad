package io.counters.collector.store;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.counters.collector.ledger.Push;
import io.counters.collector.ledger.Push.Kind;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * Answers of memcached's binary protocol, and what they mean for requests, as docs of memcached and {@link MemcachedBatch} have
 * it: a second reading, which knows nothing of the first.
 */
final class PlainMemcached {
    private static final int HEADER_BYTES = 24;
    private static final int BODY_BYTES_MAX = 64 << 20;
    private static final int KEPT_BYTES_MAX = 4096;
    private static final int ANSWERS_MAX = 1000;
    private static final String NONE = "none";
    static final String UNKNOWN = "unknown";

    /** An answer: after the extras and the key, in a body of which at most 4096 bytes matter, is the value. */
    @SuppressWarnings("ArrayRecordComponent") // Never compared.
    private record Answer(int status, int place, String key, byte[] value) {
        String text() {
            return new String(value, ISO_8859_1);
        }
    }

    private final List<Answer> answers = new ArrayList<>();

    /** Whether what follows these answers is something else. */
    private boolean isStrange;

    private PlainMemcached(byte[] bytes, boolean hasKeys) {
        ByteBuffer in = ByteBuffer.wrap(bytes);
        while (in.hasRemaining() && !isStrange) {
            int at = in.position();
            isStrange = in.get(at) != (byte) 0x81;
            if (in.remaining() < HEADER_BYTES) {
                return;
            }
            int length = in.getInt(at + 8);
            isStrange |= length < 0 || length > BODY_BYTES_MAX;
            if (isStrange || in.remaining() - HEADER_BYTES < length) {
                return;
            }
            int bodyAt = at + HEADER_BYTES;
            byte[] body = Arrays.copyOfRange(bytes, bodyAt, bodyAt + Math.min(length, KEPT_BYTES_MAX));
            int keyAt = Math.min(body.length, in.get(at + 4) & 0xff);
            int valueAt = hasKeys ? Math.min(body.length, keyAt + (in.getShort(at + 2) & 0xffff)) : keyAt;
            answers.add(new Answer(
                    in.getShort(at + 6),
                    in.getInt(at + 12),
                    new String(body, keyAt, valueAt - keyAt, ISO_8859_1),
                    Arrays.copyOfRange(body, valueAt, body.length)));
            in.position(bodyAt + length);
        }
    }

    /** What each request is answered: a value, or one word. */
    static List<String> replies(byte[] bytes, List<Push> requests) {
        PlainMemcached read = new PlainMemcached(bytes, false);
        List<String> replies = new ArrayList<>();
        boolean isStrange = false;
        for (Answer answer : read.answers) {
            isStrange = answer.place < replies.size() || answer.place > requests.size();
            while (!isStrange && replies.size() < answer.place) {
                Push silent = requests.get(replies.size());
                isStrange = silent.kind() == Kind.INCREMENT;
                if (!isStrange) {
                    replies.add(silent.kind() == Kind.READ ? "missing" : holds(silent.number()));
                }
            }
            if (!isStrange && answer.place == requests.size()) {
                // The final request is answered.
                return replies;
            }
            Optional<String> reply = isStrange ? Optional.empty() : reply(answer, requests.get(answer.place));
            isStrange = reply.isEmpty();
            if (isStrange) {
                break;
            }
            replies.add(reply.get());
        }
        while (replies.size() < requests.size()) {
            replies.add(isStrange || read.isStrange ? UNKNOWN : NONE);
        }
        return replies;
    }

    static String holds(long value) {
        return "holds " + value;
    }

    /** Empty if it is no answer to this request. */
    private static Optional<String> reply(Answer answer, Push request) {
        boolean isAdd = request.kind() == Kind.ADD;
        return switch (answer.status) {
            case 0 -> value(answer, request);
            case 1 -> Optional.of("missing");
            case 2 -> Optional.of("exists");
            case 5 -> Optional.of(isAdd ? "exists" : "missing");
            case 6, 0x82 -> Optional.of("refused");
            default -> Optional.of(UNKNOWN);
        };
    }

    private static Optional<String> value(Answer answer, Push request) {
        if (request.kind() == Kind.ADD) {
            return Optional.of(holds(request.number()));
        }
        if (request.kind() == Kind.INCREMENT) {
            return answer.value.length < Long.BYTES
                    ? Optional.empty()
                    : Optional.of(holds(ByteBuffer.wrap(answer.value).getLong()));
        }
        // An unsigned number, perhaps with blanks around it.
        String text = answer.text().trim();
        if (!text.matches("\\+?[0-9]+") || new BigInteger(text).bitLength() > Long.SIZE) {
            return Optional.of("refused");
        }
        return Optional.of(holds(new BigInteger(text).longValue()));
    }

    /** All answers to a request for statistics, up to the last one, which has no name or is an error. */
    static String statistics(byte[] bytes) {
        PlainMemcached read = new PlainMemcached(bytes, true);
        List<MemcachedRequest.Answer> all = new ArrayList<>();
        for (Answer answer : read.answers) {
            all.add(new MemcachedRequest.Answer(answer.status, answer.key, answer.text()));
            if (all.size() > ANSWERS_MAX) {
                return "ended";
            }
            if (answer.status != 0 || answer.key.isEmpty()) {
                return all.toString();
            }
        }
        return read.isStrange ? "ended" : "not yet";
    }
}
