package io.counters.collector.ledger;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.counters.collector.settings.Setting;
import io.counters.collector.settings.Settings;
import io.counters.wire.NameReader;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;

/**
 * Where the ledger lies and how much it may hold.
 *
 * @param folder created where it is missing
 * @param countersMax new names beyond this many are counted together, as {@code counters.overflow}
 * @param newNamesMax new names a minute; beyond them a line with a total waits for its repetition, one without goes to
 *     {@code counters.overflow}
 * @param streamsMax senders beyond this many count without healing
 * @param watermarksMax of all streams together, about 40 bytes each
 * @param expiryMillis a stream unheard of for so long is forgotten; only time spent listening counts
 */
public record LedgerSettings(
        Path folder, int countersMax, int newNamesMax, int streamsMax, int watermarksMax, long expiryMillis) {
    private static final int PREFIX_BYTES_MAX = 100;
    private static final long DAY_MILLIS = 86_400_000;

    public static LedgerSettings from(Settings settings) {
        return in(settings.get(Setting.DATA_DIR, LedgerSettings::folder));
    }

    /** The usual bounds, in this folder. */
    public static LedgerSettings in(Path folder) {
        return new LedgerSettings(folder, 1_500_000, 1_500_000, 100_000, 16_000_000, DAY_MILLIS);
    }

    /**
     * What stands before every name outside of this program, in a shared store and in OpenTSDB; the ledger, the page and
     * the ring know names without it.
     */
    public static String prefix(Settings settings) {
        return settings.get(Setting.PREFIX, LedgerSettings::prefix);
    }

    private static String prefix(String text) {
        for (byte letter : text.getBytes(ISO_8859_1)) {
            if (!NameReader.isLetter(letter)) {
                throw new IllegalArgumentException("allowed are the letters of names, A-Z a-z 0-9 - _ . /");
            }
        }
        if (text.length() > PREFIX_BYTES_MAX) {
            throw new IllegalArgumentException("allowed are " + PREFIX_BYTES_MAX
                    + " letters at the most; with it, a name has " + NameReader.BYTES_MAX);
        }
        return text;
    }

    private static Path folder(String text) {
        if (text.isEmpty()) {
            throw new IllegalArgumentException("which names no folder; leave it out for counters-data, right here");
        }
        try {
            return Path.of(text).toAbsolutePath().normalize();
        } catch (InvalidPathException noPath) {
            throw new IllegalArgumentException("which is no path: " + noPath.getReason(), noPath);
        }
    }
}
