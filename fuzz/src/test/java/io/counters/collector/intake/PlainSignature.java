package io.counters.collector.intake;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.security.GeneralSecurityException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** Signed datagrams as docs/protocol.md has them, by a pattern and the JDK's own HMAC. */
final class PlainSignature {
    /** {@code signed KEY-ID TIME MAC}, and what is signed with it. */
    private static final Pattern SIGNED =
            Pattern.compile("(signed (([A-Za-z0-9._/-]{1,32}) ([0-9]+)) ([0-9a-f]{32}))\r?(?:\n(.*))?", Pattern.DOTALL);

    private static final int LINE_CHARS_MAX = 1024;
    private static final long WINDOW_MILLIS = 300_000;
    private static final int MAC_BYTES = 16;

    /** The key with which a datagram is signed, and the lines. */
    record Verified(String id, String lines) {}

    private PlainSignature() {}

    private static String mac(String secret, String idAndTime, String lines) {
        try {
            Mac hmac = Mac.getInstance("HmacSHA256");
            hmac.init(new SecretKeySpec(secret.getBytes(ISO_8859_1), "HmacSHA256"));
            byte[] all = hmac.doFinal((idAndTime + "\n" + lines).getBytes(ISO_8859_1));
            return HexFormat.of().formatHex(Arrays.copyOf(all, MAC_BYTES));
        } catch (GeneralSecurityException impossible) {
            throw new IllegalStateException("every JDK has HmacSHA256", impossible);
        }
    }

    static String sign(String id, String secret, long millis, String lines) {
        return "signed " + id + " " + millis + " " + mac(secret, id + " " + millis, lines) + "\n" + lines;
    }

    static boolean isSigned(String datagram) {
        return datagram.startsWith("signed ");
    }

    /**
     * The lines of a signed datagram; empty if it is refused.
     *
     * @param secrets by the keys' IDs
     */
    static Optional<Verified> verify(String datagram, Map<String, String> secrets, long nowMillis) {
        Matcher signed = SIGNED.matcher(datagram);
        if (!signed.matches() || signed.group(1).length() > LINE_CHARS_MAX) {
            return Optional.empty();
        }
        String secret = secrets.get(signed.group(3));
        String lines = signed.group(6) == null ? "" : signed.group(6);
        if (secret == null || !mac(secret, signed.group(2), lines).equals(signed.group(5))) {
            return Optional.empty();
        }
        try {
            long ahead = Long.parseLong(signed.group(4)) - nowMillis;
            return Math.abs(ahead) <= WINDOW_MILLIS
                    ? Optional.of(new Verified(signed.group(3), lines))
                    : Optional.empty();
        } catch (NumberFormatException tooLarge) {
            return Optional.empty();
        }
    }
}
