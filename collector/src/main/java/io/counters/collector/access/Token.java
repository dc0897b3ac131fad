package io.counters.collector.access;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Base64;
import java.util.Locale;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The secret that requests by HTTP must have, if one is set: as {@code Authorization: Bearer TOKEN}, or as the password of HTTP
 * Basic with any user name, because that is what a browser asks for. Only its digest is kept. For any thread.
 */
public final class Token {
    /** A token that cannot be guessed, and that every client can write into a header. */
    private static final Pattern FORM = Pattern.compile("[!-~]{16,1024}");

    private static final String BEARER = "bearer ";
    private static final String BASIC = "basic ";

    private final byte[] digest;

    private Token(byte[] digest) {
        this.digest = digest;
    }

    /**
     * Reads a token.
     *
     * @throws IllegalArgumentException with the rule, and without the text
     */
    public static Token of(String text) {
        if (!FORM.matcher(text).matches()) {
            throw new IllegalArgumentException("allowed are 16 to 1024 letters, digits and other ASCII"
                    + " characters without blanks; create a token with: openssl rand -hex 32");
        }
        return new Token(digest(text));
    }

    /** Whether a request with this header Authorization has the token. The time does not depend on how much is right. */
    public boolean isIn(@Nullable String authorization) {
        if (authorization == null) {
            return false;
        }
        String scheme = authorization.toLowerCase(Locale.ROOT);
        String given = authorization.substring(authorization.indexOf(' ') + 1).strip();
        if (scheme.startsWith(BEARER)) {
            return MessageDigest.isEqual(digest, digest(given));
        }
        return scheme.startsWith(BASIC) && MessageDigest.isEqual(digest, digest(password(given)));
    }

    private static String password(String login) {
        try {
            String plain = new String(Base64.getDecoder().decode(login), UTF_8);
            return plain.substring(plain.indexOf(':') + 1);
        } catch (IllegalArgumentException notBase64) {
            return "";
        }
    }

    private static byte[] digest(String text) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(text.getBytes(ISO_8859_1));
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException("every JDK has SHA-256", impossible);
        }
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Token token && MessageDigest.isEqual(digest, token.digest);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(digest);
    }

    /** Does not show it. */
    @Override
    public String toString() {
        return "a token";
    }
}
