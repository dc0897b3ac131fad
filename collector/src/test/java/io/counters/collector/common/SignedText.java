package io.counters.collector.common;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.security.GeneralSecurityException;
import java.util.HexFormat;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** Signs any text as a holder of a key could, correct or not, by the JDK's own HMAC. */
public final class SignedText {
    private SignedText() {}

    /**
     * A signed datagram.
     *
     * @param hex the key
     * @param millis Unix time
     * @param text what follows the signed line
     */
    public static byte[] of(String id, String hex, long millis, String text) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(HexFormat.of().parseHex(hex), "HmacSHA256"));
            String head = id + " " + millis;
            byte[] hash = mac.doFinal((head + "\n" + text).getBytes(ISO_8859_1));
            return ("signed " + head + " " + HexFormat.of().formatHex(hash, 0, 16) + "\n" + text).getBytes(ISO_8859_1);
        } catch (GeneralSecurityException broken) {
            throw new IllegalStateException(broken);
        }
    }
}
