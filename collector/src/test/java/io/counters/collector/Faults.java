package io.counters.collector;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteOrder;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Makes the disk, the clock and the sockets of a child process misbehave on command. The child loads {@code
 * src/test/c/faults.c} before its C library; both processes map the same file, so that a slot that is set here takes effect
 * at once.
 */
public final class Faults {
    public static final int EIO = 5;
    public static final int EACCES = 13;
    public static final int ENOSPC = 28;
    public static final int EROFS = 30;

    /** The slots, in the order of {@code faults.c}, which explains them. 0 means no fault. */
    public enum Slot {
        CLOCK_MILLIS(0),
        SYNC_ERRNO(1),
        SYNC_FOLDER_ERRNO(2),
        SYNC_MILLIS(3),
        WRITE_ERRNO(4),
        WRITES_UNTIL_FULL(5),
        READ_ERRNO(6),
        READ_MILLIS(7),
        OPEN_ERRNO(8),
        UNLINK_ERRNO(9),
        RENAME_ERRNO(10),
        RECEIVES_FAIL(11),
        ACCEPTS_FAIL(12),
        CALLS_ERRNO(13),
        CALLS_UNTIL_FAULT(14),
        CALLS_FAIL(15),
        SYNCS_SKIPPED(16),
        HITS(17);

        private final int place;

        Slot(int place) {
            this.place = place;
        }
    }

    private final Path control;
    private final Path folder;
    private final MappedByteBuffer slots;

    /**
     * Begins without faults.
     *
     * @param control the file to create for the slots; several children may use it, one after the other
     * @param folder only files in this folder have disk faults
     */
    public Faults(Path control, Path folder) throws IOException {
        this.control = control;
        this.folder = folder.toRealPath();
        try (FileChannel file = FileChannel.open(
                control, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            slots = file.map(FileChannel.MapMode.READ_WRITE, 0, (long) Long.BYTES * Slot.values().length);
        }
        slots.order(ByteOrder.LITTLE_ENDIAN);
    }

    /** The variables that a child process needs. */
    public Map<String, String> environment() throws IOException {
        return Map.of(
                "LD_PRELOAD", compiled().toString(),
                "FAULTS_CONTROL", control.toAbsolutePath().toString(),
                "FAULTS_FOLDER", folder.toString());
    }

    public void set(Slot slot, long value) {
        slots.putLong(slot.place * Long.BYTES, value);
    }

    public long get(Slot slot) {
        return slots.getLong(slot.place * Long.BYTES);
    }

    /** Ends every fault. */
    public void heal() {
        for (Slot slot : Slot.values()) {
            if (slot != Slot.HITS && slot != Slot.SYNCS_SKIPPED) {
                set(slot, 0);
            }
        }
    }

    /**
     * Runs a program of the tests in a child process, with these faults, and asserts that it exits with 0.
     *
     * @return its output
     */
    public String run(Class<?> program, String... args) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                program.getName()));
        command.addAll(List.of(args));
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().putAll(environment());
        Process child = builder.start();
        String said = new String(child.getInputStream().readAllBytes(), UTF_8);
        assertThat(child.waitFor()).as(said).isZero();
        return said;
    }

    /** The names of the files in a folder below a collector's data; none if there is no such folder. */
    public static List<String> files(Path folder, String below) throws IOException {
        Path where = folder.resolve("data").resolve(below);
        if (!Files.exists(where)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(where)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    /**
     * Runs a program of the tests as {@link #run}, with two arguments: the file of the slots, and a folder that has faults. It
     * lets each call on a file fail in its turn, and prints how many did.
     */
    public static String runEachCall(Class<?> program, Path folder) throws IOException, InterruptedException {
        Path control = folder.resolve("control");
        Path data = Files.createDirectory(folder.resolve("data"));
        Faults faults = new Faults(control, data);
        faults.set(Slot.SYNCS_SKIPPED, 1);
        return faults.run(program, control.toString(), data.toString());
    }

    /** Ends such a program with an exception if this does not hold. */
    public static void require(boolean holds, String otherwise) {
        if (!holds) {
            throw new IllegalStateException(otherwise);
        }
    }

    /** Makes {@code count} calls fail, beginning with call number {@code first} from now on. */
    public void failCalls(int errno, int first, int count) {
        set(Slot.CALLS_UNTIL_FAULT, first);
        set(Slot.CALLS_FAIL, count);
        set(Slot.CALLS_ERRNO, errno);
    }

    /** The library; compiled if it is missing or older than its source. */
    private static synchronized Path compiled() throws IOException {
        Path source = Path.of("src", "test", "c", "faults.c").toAbsolutePath();
        Path library = Path.of("target", "faults.so").toAbsolutePath();
        if (Files.exists(library)
                && Files.getLastModifiedTime(library).compareTo(Files.getLastModifiedTime(source)) > 0) {
            return library;
        }
        Path fresh = Files.createTempFile(library.getParent(), "faults", ".so");
        Process gcc = new ProcessBuilder(
                        "gcc",
                        "-O2",
                        "-Wall",
                        "-Werror",
                        "-shared",
                        "-fPIC",
                        "-o",
                        fresh.toString(),
                        source.toString(),
                        "-ldl")
                .redirectErrorStream(true)
                .start();
        String said = new String(gcc.getInputStream().readAllBytes(), UTF_8);
        try {
            assertThat(gcc.waitFor()).as(said).isZero();
        } catch (InterruptedException hurried) {
            Thread.currentThread().interrupt();
            throw new IOException(hurried);
        }
        return Files.move(fresh, library, StandardCopyOption.ATOMIC_MOVE);
    }
}
