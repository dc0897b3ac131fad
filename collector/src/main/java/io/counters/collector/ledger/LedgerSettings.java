package io.counters.collector.ledger;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.counters.collector.settings.CollectorFlag;
import io.counters.collector.settings.Memory;
import io.counters.collector.settings.Settings;
import io.counters.wire.NameReader;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;

/**
 * The ledger's folder and its bounds.
 *
 * @param folder created if it is missing
 * @param namesBytes memory of all counters, by {@link NameTable#memory(int)}; new names beyond it are counted together,
 *     as {@code counters.overflow}
 * @param newNamesBytes how much of it new names may take in a minute; beyond it, a line with a total waits for its
 *     repetition, and one without a total is counted as {@code counters.overflow}
 * @param streamsMax beyond this number of streams, those that sent least often are dropped
 * @param newStreamsMax new streams a minute; a quarter of it for each address
 * @param watermarksMax of all streams together
 * @param expiryMillis a stream that was not heard for this time is forgotten; only time spent listening counts
 * @param replayMillis for how long after it was sent a datagram may be sent again and be accepted, because its signature is
 *     correct; then a line with a total that has no room is refused, and no stream is dropped for lack of room that was
 *     heard within this time. 0 if signatures are not required
 */
public record LedgerSettings(
        Path folder,
        long namesBytes,
        long newNamesBytes,
        int streamsMax,
        int newStreamsMax,
        int watermarksMax,
        long expiryMillis,
        long replayMillis) {
    /** Heap bytes of a stream and of a watermark; measured by {@code MemoryTest}. */
    private static final long BYTES_A_STREAM = 800;

    private static final long BYTES_A_WATERMARK = 40;

    /** One part in this many of the memory for streams is for the streams themselves, the rest for their watermarks. */
    private static final int STREAMS_PART = 4;

    /** One in this many of all streams may be new in a minute. */
    private static final int NEW_STREAMS_PART = 10;

    private static final int SHARES_PERCENT_MAX = 80;
    private static final int PREFIX_BYTES_MAX = 100;
    private static final long DAY_MILLIS = 86_400_000;

    /**
     * A signature is accepted from five minutes before its time until five minutes after it. When a stream was heard is
     * known less exactly after a restart.
     */
    private static final long SIGNED_MILLIS = 600_000 + InboundStream.HEARD_EVERY_MILLIS;

    /** Without signatures. */
    public LedgerSettings(
            Path folder,
            long namesBytes,
            long newNamesBytes,
            int streamsMax,
            int newStreamsMax,
            int watermarksMax,
            long expiryMillis) {
        this(folder, namesBytes, newNamesBytes, streamsMax, newStreamsMax, watermarksMax, expiryMillis, 0);
    }

    /**
     * Reads the bounds from the settings.
     *
     * @param heapBytes the maximum heap; bounds may be shares of it
     */
    public static LedgerSettings from(Settings settings, long heapBytes) {
        long names = settings.get(CollectorFlag.NAMES_MEMORY, text -> Memory.of(text, heapBytes));
        long streams = settings.get(CollectorFlag.STREAMS_MEMORY, text -> Memory.of(text, heapBytes));
        if (names + streams > heapBytes / 100 * SHARES_PERCENT_MAX) {
            settings.refuse(
                    CollectorFlag.NAMES_MEMORY,
                    "which together with streams-memory is more than " + SHARES_PERCENT_MAX
                            + "% of the heap; lower one of them, or raise -Xmx");
        }
        int streamsMax = atLeastOne(streams / STREAMS_PART / BYTES_A_STREAM);
        return new LedgerSettings(
                folder(settings),
                names,
                settings.get(CollectorFlag.NEW_NAMES, text -> Memory.of(text, names)),
                streamsMax,
                atLeastOne(streamsMax / NEW_STREAMS_PART),
                atLeastOne((streams - streams / STREAMS_PART) / BYTES_A_WATERMARK),
                DAY_MILLIS,
                isSigned(settings) ? SIGNED_MILLIS : 0);
    }

    /** Whether unsigned datagrams are refused: if they are accepted, the strict rules protect nothing. */
    private static boolean isSigned(Settings settings) {
        return !settings.get(CollectorFlag.KEYS, String::isEmpty)
                && settings.get(CollectorFlag.SIGNING, "required"::equals);
    }

    /** The folder alone. */
    public static Path folder(Settings settings) {
        return settings.get(CollectorFlag.DATA_DIR, LedgerSettings::folder);
    }

    private static int atLeastOne(long number) {
        return (int) Math.max(1, Math.min(Integer.MAX_VALUE, number));
    }

    /** In this folder, with bounds that no well-behaved sender reaches. */
    public static LedgerSettings in(Path folder) {
        return new LedgerSettings(folder, 1L << 32, 1L << 32, 100_000, 100_000, 16_000_000, DAY_MILLIS);
    }

    /**
     * The bounds of each of several ledgers that together need no more memory than one with these. Each of them knows all
     * streams, so half of the memory for streams is for the streams themselves. There are no bounds for a minute, because an
     * hour of lines that waited is merged in seconds.
     */
    public LedgerSettings ofEach(int ledgers) {
        long bytes = (streamsMax * BYTES_A_STREAM + watermarksMax * BYTES_A_WATERMARK) / 2 / ledgers;
        int streams = atLeastOne(bytes / BYTES_A_STREAM);
        return new LedgerSettings(
                folder,
                namesBytes / ledgers,
                namesBytes / ledgers,
                streams,
                streams,
                atLeastOne(bytes / BYTES_A_WATERMARK),
                expiryMillis,
                replayMillis);
    }

    /** Whether datagrams with correct signatures may be sent again, so that what has no room must not count. */
    boolean refusesWithoutRoom() {
        return replayMillis > 0;
    }

    /**
     * The prefix of every name outside this program: in a store and in OpenTSDB. The ledger, the page and the ring use
     * names without it.
     */
    public static String prefix(Settings settings) {
        return settings.get(CollectorFlag.PREFIX, LedgerSettings::prefix);
    }

    private static String prefix(String text) {
        for (byte letter : text.getBytes(ISO_8859_1)) {
            if (!NameReader.isLetter(letter)) {
                throw new IllegalArgumentException("allowed are the characters of names, A-Z a-z 0-9 - _ . /");
            }
        }
        if (text.length() > PREFIX_BYTES_MAX) {
            throw new IllegalArgumentException("allowed are at most " + PREFIX_BYTES_MAX
                    + " characters; a name, including the prefix, has at most " + NameReader.BYTES_MAX + " bytes");
        }
        return text;
    }

    private static Path folder(String text) {
        try {
            return Path.of(text).toAbsolutePath().normalize();
        } catch (InvalidPathException noPath) {
            throw new IllegalArgumentException("which is not a path: " + noPath.getReason(), noPath);
        }
    }
}
