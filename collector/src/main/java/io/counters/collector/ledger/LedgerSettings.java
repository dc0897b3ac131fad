package io.counters.collector.ledger;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.counters.collector.settings.Memory;
import io.counters.collector.settings.Setting;
import io.counters.collector.settings.Settings;
import io.counters.wire.NameReader;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;

/**
 * Where the ledger lies and how much it may hold.
 *
 * @param folder created where it is missing
 * @param namesBytes memory of all counters, by {@link NameTable#memory(int)}; new names beyond it are counted together, as
 *     {@code counters.overflow}
 * @param newNamesBytes how much of it new names take in a minute; beyond it a line with a total waits for its repetition,
 *     and one without goes to {@code counters.overflow}
 * @param streamsMax streams beyond this many displace those that said least
 * @param newStreamsMax new streams a minute; a quarter of it for each address
 * @param watermarksMax of all streams together
 * @param expiryMillis a stream unheard of for so long is forgotten; only time spent listening counts
 */
public record LedgerSettings(
        Path folder,
        long namesBytes,
        long newNamesBytes,
        int streamsMax,
        int newStreamsMax,
        int watermarksMax,
        long expiryMillis) {
    /** What a stream and a watermark take of the heap; measured by {@code MemoryTest}. */
    private static final long BYTES_A_STREAM = 800;

    private static final long BYTES_A_WATERMARK = 40;

    /** Of the memory for streams, one part in so many is for the streams themselves, the rest for their watermarks. */
    private static final int STREAMS_PART = 4;

    /** One in so many of all streams may be new in a minute. */
    private static final int NEW_STREAMS_PART = 10;

    private static final int SHARES_PERCENT_MAX = 80;
    private static final int PREFIX_BYTES_MAX = 100;
    private static final long DAY_MILLIS = 86_400_000;

    /**
     * The bounds that the settings give.
     *
     * @param heapBytes the most that the heap may ever be, which the bounds are shares of
     */
    public static LedgerSettings from(Settings settings, long heapBytes) {
        long names = settings.get(Setting.NAMES_MEMORY, text -> Memory.of(text, heapBytes));
        long streams = settings.get(Setting.STREAMS_MEMORY, text -> Memory.of(text, heapBytes));
        if (names + streams > heapBytes / 100 * SHARES_PERCENT_MAX) {
            settings.refuse(
                    Setting.NAMES_MEMORY,
                    "which with streams-memory is more than " + SHARES_PERCENT_MAX
                            + "% of the heap; give less to one of them, or the JVM more with -Xmx");
        }
        int streamsMax = atLeastOne(streams / STREAMS_PART / BYTES_A_STREAM);
        return new LedgerSettings(
                settings.get(Setting.DATA_DIR, LedgerSettings::folder),
                names,
                settings.get(Setting.NEW_NAMES, text -> Memory.of(text, names)),
                streamsMax,
                atLeastOne(streamsMax / NEW_STREAMS_PART),
                atLeastOne((streams - streams / STREAMS_PART) / BYTES_A_WATERMARK),
                DAY_MILLIS);
    }

    private static int atLeastOne(long number) {
        return (int) Math.max(1, Math.min(Integer.MAX_VALUE, number));
    }

    /** In this folder, with bounds that nobody meets who means well. */
    public static LedgerSettings in(Path folder) {
        return new LedgerSettings(folder, 1L << 32, 1L << 32, 100_000, 100_000, 16_000_000, DAY_MILLIS);
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
        try {
            return Path.of(text).toAbsolutePath().normalize();
        } catch (InvalidPathException noPath) {
            throw new IllegalArgumentException("which is no path: " + noPath.getReason(), noPath);
        }
    }
}
