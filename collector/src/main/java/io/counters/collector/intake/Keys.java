package io.counters.collector.intake;

import io.counters.collector.common.FaultLog;
import io.counters.collector.common.Metrics;
import io.counters.wire.KeyLines;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The keys that are in use, and the file that has them, which is watched for changes. A file with errors is logged and not
 * used: the old keys stay. A changed file is used only after two readings have found the same, because it may be only partly
 * written at the first. For any thread.
 */
public final class Keys {
    private static final Logger log = LoggerFactory.getLogger(Keys.class);

    private static final Set<PosixFilePermission> OF_THE_OWNER = EnumSet.of(
            PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE, PosixFilePermission.OWNER_EXECUTE);
    private static final String STAY = "; the old keys stay in use";

    private final Path file;
    private final boolean isRequired;
    private final LongSupplier wallMillis;
    private final FaultLog faults;
    private final Metrics metrics;
    private final LongAdder badFiles;
    private volatile KnownKeys known;

    /** The text that was used last; null before the first reading. */
    private @Nullable String taken;

    private @Nullable String seen;

    /** @param wallMillis Unix time, which is compared with that of signed datagrams */
    public Keys(KeySettings settings, LongSupplier wallMillis, FaultLog faults, Metrics metrics) {
        file = settings.file();
        isRequired = settings.isRequired();
        this.wallMillis = wallMillis;
        this.faults = faults;
        this.metrics = metrics;
        badFiles = metrics.count("intake_bad_key_files_total", "Times that the file of keys was refused.");
        known = new KnownKeys(settings.keys(), metrics);
        warnOfReaders();
    }

    /** Whether datagrams without a signature, and TCP, are refused. */
    boolean isRequired() {
        return isRequired;
    }

    KnownKeys known() {
        return known;
    }

    /** Checks the signatures of one thread's datagrams. */
    Signatures signatures() {
        return new Signatures(this, wallMillis, metrics);
    }

    /** Reads the file, and uses changed keys; call it once a second. */
    public void look() {
        try {
            String text = KeySettings.text(file);
            synchronized (this) {
                boolean isStable = text.equals(seen);
                seen = text;
                if (isStable && !text.equals(taken)) {
                    take(text);
                }
            }
        } catch (IOException broken) {
            badFiles.increment();
            faults.warn("keys", "the file of keys " + file + " " + broken.getMessage() + STAY);
        }
    }

    /** Uses the keys in the file at once, on a signal; logs the result and never throws. */
    public void reload() {
        try {
            String text = KeySettings.text(file);
            synchronized (this) {
                seen = text;
                take(text);
            }
        } catch (IOException broken) {
            badFiles.increment();
            log.warn("the file of keys {} {}{}", file, broken.getMessage(), STAY);
        } catch (RuntimeException fault) {
            log.warn("the file of keys {} could not be read again{}", file, STAY, fault);
        }
    }

    private void take(String text) throws IOException {
        KeyLines lines = KeyLines.of(text);
        if (!lines.mistakes().isEmpty()) {
            throw new IOException("has errors: " + String.join("; ", lines.mistakes()));
        }
        boolean isFirst = taken == null;
        taken = text;
        KnownKeys fresh = new KnownKeys(lines.keys(), metrics);
        boolean isSaid = !isFirst || !fresh.toString().equals(known.toString());
        known = fresh;
        if (isSaid) {
            log.info("the keys in {} are in use: {}", file, fresh);
            warnOfReaders();
        }
    }

    private void warnOfReaders() {
        modeForOthers(file)
                .ifPresent(mode -> log.warn(
                        "others than its owner can use the file of keys {} ({}), and sign counts with them; run: chmod 600 {}",
                        file,
                        mode,
                        file));
    }

    /** The mode of a file of keys, if others than its owner can use it. */
    public static Optional<String> modeForOthers(Path file) {
        try {
            Set<PosixFilePermission> mode = Files.getPosixFilePermissions(file);
            return OF_THE_OWNER.containsAll(mode) ? Optional.empty() : Optional.of(PosixFilePermissions.toString(mode));
        } catch (IOException | UnsupportedOperationException notPosix) {
            // A system without such modes, or the file has just been replaced.
            return Optional.empty();
        }
    }

    /** The keys' IDs, and whether signatures are required. */
    @Override
    public String toString() {
        return known + (isRequired ? "; signatures are required" : "; unsigned lines are accepted, too");
    }
}
