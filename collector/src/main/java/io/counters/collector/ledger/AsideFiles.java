package io.counters.collector.ledger;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Databases of a folder that were set aside for one reason, under unused names that show it: {@code ledger.damaged-1.sqlite}. */
public final class AsideFiles {
    /** Files that SQLite keeps beside a database. They are useless without it, and harmful beside another one. */
    static final List<String> PARTS = List.of("-wal", "-shm", "-journal");

    private final Path file;
    private final String before;
    private final String after;
    private final Pattern name;

    /**
     * @param file the database, whether it is there or not; its name has a suffix
     * @param why what precedes the number in the names
     */
    public AsideFiles(Path file, String why) {
        this.file = file;
        String whole = file.getFileName().toString();
        int suffix = whole.lastIndexOf('.');
        before = whole.substring(0, suffix) + "." + why + "-";
        after = whole.substring(suffix);
        name = Pattern.compile(
                Pattern.quote(before) + "(\\d{1,9})" + Pattern.quote(after) + "(" + String.join("|", PARTS) + ")?");
    }

    /** Renames the database, and then the files beside it; returns its new path. */
    public Path move() throws IOException {
        Path aside = path(highest() + 1);
        Files.move(file, aside);
        moveParts(aside);
        return aside;
    }

    /**
     * Completes {@link #move} if the process ended in the middle of it: the database was renamed, the files beside it were not.
     *
     * @return the new path of what was moved; null if there was nothing to complete
     */
    public @Nullable Path finish() throws IOException {
        Path last = path(highest());
        if (Files.exists(file) || !Files.exists(last) || hasParts(last)) {
            return null;
        }
        return moveParts(last) ? last : null;
    }

    /** Renames the files beside a database that is not there, which are of no use, so that they come beside no other one. */
    public void moveOrphans() throws IOException {
        if (!Files.exists(file) && hasParts(file)) {
            moveParts(path(highest() + 1));
        }
    }

    private static Path part(Path database, String part) {
        return database.resolveSibling(database.getFileName() + part);
    }

    private static boolean hasParts(Path database) {
        return PARTS.stream().anyMatch(part -> Files.exists(part(database, part)));
    }

    private boolean moveParts(Path aside) throws IOException {
        boolean isMoved = false;
        for (String part : PARTS) {
            if (Files.exists(part(file, part))) {
                Files.move(part(file, part), part(aside, part));
                isMoved = true;
            }
        }
        return isMoved;
    }

    /** The highest number in use, even if only a log has it; 0 if there is none. */
    private int highest() throws IOException {
        int highest = 0;
        try (Stream<Path> all =
                Files.list(Objects.requireNonNull(file.toAbsolutePath().getParent()))) {
            for (Path each : (Iterable<Path>) all::iterator) {
                Matcher matcher = name.matcher(each.getFileName().toString());
                if (matcher.matches()) {
                    highest = Math.max(highest, Integer.parseInt(matcher.group(1)));
                }
            }
        }
        return highest;
    }

    private Path path(int number) {
        return file.resolveSibling(before + number + after);
    }
}
