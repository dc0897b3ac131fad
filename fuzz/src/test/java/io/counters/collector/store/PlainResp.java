package io.counters.collector.store;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.counters.collector.ledger.Push;
import io.counters.collector.ledger.Push.Kind;
import java.math.BigInteger;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.regex.Pattern;

/**
 * Redis's protocol by a stack of what is missing: a second reading, which knows nothing of {@link ReplyGuard}. Nearly without
 * patterns, because the fuzzer follows each step of theirs.
 */
final class PlainResp {
    private static final String TYPES = "+-:_#,($=!*~>%";
    private static final String TEXTS = "$=!";
    private static final String ARRAYS = "*~>%";
    private static final int DEPTH_MAX = 8;
    private static final int ELEMENT_BYTES_MIN = 3;

    /** What may not be said of a reply. */
    static final String ANYTHING = "anything";

    /** The first byte that shows that these are not replies, or that one is too long; -1 if there is none. */
    private int strangeAt = -1;

    /** The replies that are complete before that. */
    private final List<String> replies = new ArrayList<>();

    PlainResp(byte[] bytes, int bytesMax) {
        String text = new String(bytes, ISO_8859_1);
        Deque<BigInteger> missing = new ArrayDeque<>();
        BigInteger max = BigInteger.valueOf(bytesMax);
        BigInteger weight = BigInteger.ZERO;
        int begin = 0;
        for (int at = 0; at < text.length(); ) {
            char type = text.charAt(at);
            int end = lineEnd(text, at, max.subtract(weight));
            if (end < 0) {
                return;
            }
            weight = weight.add(BigInteger.valueOf(end - at));
            String line = text.substring(at + 1, end - 2);
            BigInteger number =
                    (TEXTS + ARRAYS).indexOf(type) < 0 || line.equals("-1") ? BigInteger.ZERO : new BigInteger(line);
            boolean isArray = ARRAYS.indexOf(type) >= 0 && number.signum() > 0;
            BigInteger elements = type == '%' ? number.shiftLeft(1) : number;
            BigInteger announced = isArray ? elements.multiply(BigInteger.valueOf(ELEMENT_BYTES_MIN)) : number;
            if (weight.add(announced).compareTo(max) > 0 || (isArray && missing.size() == DEPTH_MAX)) {
                strangeAt = end - 1;
                return;
            }
            at = end;
            if (isArray) {
                missing.push(elements);
                continue;
            }
            if (TEXTS.indexOf(type) >= 0 && !line.equals("-1")) {
                weight = weight.add(number);
                at += number.intValue() + 2;
                if (at > text.length()) {
                    return;
                }
            }
            while (!missing.isEmpty() && missing.peek().equals(BigInteger.ONE)) {
                missing.pop();
            }
            if (missing.isEmpty()) {
                replies.add(text.substring(begin, at));
                begin = at;
                weight = BigInteger.ZERO;
            } else {
                missing.push(missing.pop().subtract(BigInteger.ONE));
            }
        }
    }

    /** Where the line ends that begins here; -1 if it does not, or is none of a reply, or is longer than there is room. */
    private int lineEnd(String text, int begin, BigInteger room) {
        char type = text.charAt(begin);
        for (int at = begin; at < text.length(); at++) {
            boolean isPart =
                    at == begin ? TYPES.indexOf(type) >= 0 : isBeginning(type, text.substring(begin + 1, at + 1));
            if (!isPart || BigInteger.valueOf(at + 1 - begin).compareTo(room) > 0) {
                strangeAt = at;
                return -1;
            }
            if (text.charAt(at) == '\n') {
                return at + 1;
            }
        }
        return -1;
    }

    /** Whether these may be the first characters of a line, after its type: of a length, of a boolean, or of any text. */
    private static boolean isBeginning(char type, String line) {
        boolean isLength = (TEXTS + ARRAYS).indexOf(type) >= 0;
        if (!isLength && type != '#') {
            return !line.endsWith("\n") || line.endsWith("\r\n");
        }
        if (type == '#') {
            return "t\r\n".startsWith(line) || "f\r\n".startsWith(line);
        }
        String digits = line.endsWith("\r\n")
                ? line.substring(0, line.length() - 2)
                : line.endsWith("\r") ? line.substring(0, line.length() - 1) : line;
        boolean isNumber = digits.chars().allMatch(digit -> digit >= '0' && digit <= '9');
        return "-1\r\n".startsWith(line) || (isNumber && (!digits.isEmpty() || line.isEmpty()));
    }

    int strangeAt() {
        return strangeAt;
    }

    /**
     * What the replies mean for requests that were sent one after the other. A script that is not known is sent after all others.
     * One word for each request: a value, "missing", "exists", "refused" or "unknown"; or {@link #ANYTHING}, for a reply that
     * Redis never sends to it, and for all that follows.
     */
    List<String> meaning(List<Push> requests) {
        String[] meaning = new String[requests.size()];
        java.util.Arrays.fill(meaning, PlainMemcached.UNKNOWN);
        Deque<Integer> waiting = new ArrayDeque<>();
        requests.forEach(request -> waiting.add(waiting.size()));
        boolean[] isSentAgain = new boolean[requests.size()];
        boolean isKnown = true;
        for (String reply : replies) {
            isKnown &= "+-:$_".indexOf(reply.charAt(0)) >= 0
                    && !reply.startsWith("-DENIED")
                    && !reply.equals("+QUEUED\r\n");
            if (!isKnown || waiting.isEmpty()) {
                break;
            }
            int place = waiting.remove();
            Push request = requests.get(place);
            if (request.kind() == Kind.INCREMENT && reply.startsWith("-NOSCRIPT") && !isSentAgain[place]) {
                isSentAgain[place] = true;
                waiting.add(place);
            } else {
                meaning[place] = meaning(request, reply);
            }
        }
        if (!isKnown) {
            waiting.forEach(place -> meaning[place] = ANYTHING);
        }
        return List.of(meaning);
    }

    private static String meaning(Push request, String reply) {
        char type = reply.charAt(0);
        if (type == '-') {
            boolean isRefused = Pattern.compile("WRONGTYPE|not an integer|OOM |READONLY |MISCONF |NOREPLICAS ")
                    .matcher(reply)
                    .find();
            return isRefused ? "refused" : PlainMemcached.UNKNOWN;
        }
        if (type == ':') {
            // None of our requests has a number as its reply.
            return PlainMemcached.UNKNOWN;
        }
        boolean isMissing = type == '_' || reply.equals("$-1\r\n");
        if (request.kind() == Kind.ADD) {
            return isMissing ? "exists" : reply.equals("+OK\r\n") ? PlainMemcached.holds(request.number()) : ANYTHING;
        }
        if (isMissing) {
            return "missing";
        }
        String text = type == '+'
                ? reply.substring(1, reply.length() - 2)
                : reply.substring(reply.indexOf('\n') + 1, reply.length() - 2);
        return text.matches("[+-]?[0-9]+") && new BigInteger(text).bitLength() < Long.SIZE
                ? PlainMemcached.holds(new BigInteger(text).longValue())
                : "refused";
    }
}
