package io.counters.wire;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Reads the text of a file with keys, {@code KEY-ID HEX-KEY [prefix=NAME-PREFIX]} on each line. Lines that begin with
 * {@code #}, and empty ones, are ignored. Reports all errors at once. No message contains a key, wherever it was written.
 */
public final class KeyLines {
    /** The maximum number of keys. */
    static final int KEYS_MAX = 1000;

    /** The metrics of refused datagrams have these in place of an ID. */
    private static final String NONE = "none";

    private static final String UNKNOWN = "unknown";

    private static final String PREFIX = "prefix=";
    private static final String REMEDY = "; make one with: openssl rand -hex 32";

    /** Words of at least this many characters are not shown: in Base64, which has the letters of an ID, a key has 22 or more. */
    private static final int SECRET_CHARS = 16;

    private final List<SigningKey> keys = new ArrayList<>();
    private final List<String> mistakes = new ArrayList<>();

    private KeyLines() {}

    /** Reads a file's text. Never throws. */
    public static KeyLines of(String text) {
        KeyLines read = new KeyLines();
        String[] lines = text.split("\r?\n", -1);
        for (int i = 0; i < lines.length; i++) {
            String line = lines[i].trim();
            if (i == 0 && line.startsWith("\uFEFF")) {
                line = line.substring(1).trim();
            }
            if (!line.isEmpty() && !line.startsWith("#")) {
                read.line("line " + (i + 1), line);
            }
        }
        if (read.keys.size() > KEYS_MAX) {
            read.mistakes.add("has " + read.keys.size() + " keys, allowed are at most " + KEYS_MAX
                    + "; remove those that no sender uses");
        }
        if (read.keys.isEmpty() && read.mistakes.isEmpty()) {
            read.mistakes.add("has no key; write KEY-ID HEX-KEY on a line" + REMEDY);
        }
        return read;
    }

    private void line(String place, String line) {
        int before = mistakes.size();
        String[] words = line.split("[ \t]+", -1);
        String id = words[0];
        if (words.length < 2 || words.length > 3) {
            mistakes.add(place + " has " + words.length + (words.length == 1 ? " word" : " words")
                    + "; write KEY-ID HEX-KEY, and prefix=NAME-PREFIX behind them if the key is for some names only");
            return;
        }
        if (id.length() > SigningKey.ID_BYTES_MAX || !areLetters(id) || id.equals(NONE) || id.equals(UNKNOWN)) {
            mistakes.add(place + " has the key ID " + shown(id) + ", allowed are 1 to " + SigningKey.ID_BYTES_MAX
                    + " of A-Z a-z 0-9 - _ . /, except the words " + NONE + " and " + UNKNOWN);
        } else if (find(id) != null) {
            mistakes.add(place + " has the key ID " + shown(id) + ", which an earlier line has; give each key its own");
        }
        byte[] secret = secret(place, words[1]);
        String prefix = words.length == 3 ? prefix(place, words[2]) : "";
        if (mistakes.size() == before) {
            keys.add(new SigningKey(id, secret, prefix));
        }
    }

    private byte[] secret(String place, String hex) {
        boolean isHex = true;
        for (int i = 0; i < hex.length(); i++) {
            isHex &= Character.digit(hex.charAt(i), 16) >= 0 && hex.charAt(i) < 128;
        }
        int bytes = hex.length() / 2;
        boolean isGood = isHex
                && hex.length() % 2 == 0
                && bytes >= SigningKey.SECRET_BYTES_MIN
                && bytes <= SigningKey.SECRET_BYTES_MAX;
        if (!isGood) {
            mistakes.add(place + " has a key of " + hex.length()
                    + (isHex ? " hex digits" : " characters, not all of them hex digits")
                    + ", allowed are " + 2 * SigningKey.SECRET_BYTES_MIN + " to " + 2 * SigningKey.SECRET_BYTES_MAX
                    + " hex digits, an even number" + REMEDY);
            return new byte[0];
        }
        byte[] secret = new byte[bytes];
        for (int i = 0; i < bytes; i++) {
            secret[i] =
                    (byte) (Character.digit(hex.charAt(2 * i), 16) << 4 | Character.digit(hex.charAt(2 * i + 1), 16));
        }
        return secret;
    }

    private String prefix(String place, String word) {
        String prefix = word.startsWith(PREFIX) ? word.substring(PREFIX.length()) : "";
        if (prefix.isEmpty() || prefix.length() > NameReader.BYTES_MAX || !areLetters(prefix)) {
            mistakes.add(place + " has " + shown(word) + " as its third word, allowed is prefix=NAME-PREFIX with 1 to "
                    + NameReader.BYTES_MAX + " of A-Z a-z 0-9 - _ . /, such as prefix=shop.");
        }
        return prefix;
    }

    private static boolean areLetters(String text) {
        boolean areLetters = true;
        for (int i = 0; i < text.length(); i++) {
            char letter = text.charAt(i);
            areLetters &= letter < 128 && NameReader.isLetter((byte) letter);
        }
        return areLetters;
    }

    /** A word of the file as a message may show it: words may have changed places, so what may be a key is not shown. */
    private static String shown(String word) {
        String text = word.startsWith(PREFIX) ? word.substring(PREFIX.length()) : word;
        boolean isSafe = text.length() < SECRET_CHARS && areLetters(text.replace('=', '-'));
        return isSafe ? word : "(not shown)";
    }

    /** The key with this ID; null if there is none. */
    public @Nullable SigningKey find(String id) {
        for (SigningKey key : keys) {
            if (key.id().equals(id)) {
                return key;
            }
        }
        return null;
    }

    /** The keys of the correct lines. */
    public List<SigningKey> keys() {
        return Collections.unmodifiableList(keys);
    }

    /** A message for each error, which begins with its line, to follow the file's name. */
    public List<String> mistakes() {
        return Collections.unmodifiableList(mistakes);
    }
}
