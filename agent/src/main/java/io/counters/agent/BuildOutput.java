package io.counters.agent;

import io.counters.agent.weave.BuildMark;
import io.counters.agent.weave.ModuleFile;
import io.counters.agent.weave.Weaving;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The class files that a compiler wrote into a folder, and the originals of those that an earlier build has woven. The
 * originals are in a folder beside it, {@code classes-originals} beside {@code classes}, at the same paths. They are needed
 * because a woven class is never woven again: whatever has changed, the result depends on the original only. Beside each
 * original is the digest of the woven file, so that what another tool has added to that is not overwritten.
 *
 * <p>As a class loader it returns, as resources, the originals and then the files of a class path. It loads no class.
 */
final class BuildOutput extends URLClassLoader {
    private static final String SUFFIX = ".class";
    private static final String DIGEST = ".woven-sha256";

    private final Path folder;
    private final Path originals;
    private final List<ClassFile> files = new ArrayList<>();
    private final Map<String, ClassFile> byName = new HashMap<>();
    private final List<Path> modules = new ArrayList<>();
    private @Nullable ClassFile current;

    /** A class file of the folder. */
    static final class ClassFile {
        /** The class's name with slashes. */
        final String name;

        final byte[] original;
        private final String path;
        private final byte[] present;

        ClassFile(String name, String path, byte[] present, byte[] original) {
            this.name = name;
            this.path = path;
            this.present = present;
            this.original = original;
        }
    }

    private BuildOutput(Path folder, URL[] classPath) {
        super(classPath, ClassLoader.getSystemClassLoader().getParent());
        this.folder = folder;
        this.originals = folder.resolveSibling(folder.getFileName() + "-originals");
    }

    /**
     * Reads all class files of a folder.
     *
     * @param faults accepts one message for each file that is not a class file, or whose original is missing
     * @throws IOException if a file cannot be read
     */
    static BuildOutput read(Path folder, URL[] classPath, Consumer<String> faults) throws IOException {
        BuildOutput output = new BuildOutput(folder, classPath);
        List<Path> found = new ArrayList<>();
        Files.walkFileTree(folder, new SimpleFileVisitor<Path>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                String name = String.valueOf(file.getFileName());
                if (name.equals("module-info.class")) {
                    output.modules.add(file);
                } else if (name.endsWith(SUFFIX)) {
                    found.add(file);
                }
                return FileVisitResult.CONTINUE;
            }
        });
        Collections.sort(found);
        for (Path file : found) {
            output.take(file, faults);
        }
        return output;
    }

    private void take(Path file, Consumer<String> faults) throws IOException {
        String path = folder.relativize(file).toString();
        byte[] present = Files.readAllBytes(file);
        byte[] original = present;
        try {
            if (BuildMark.isOn(present)) {
                Path kept = originals.resolve(path);
                original = Files.isRegularFile(kept) ? Files.readAllBytes(kept) : new byte[0];
                if (!BuildMark.hasOriginal(present, original)) {
                    faults.accept(file + ": an earlier build has woven this class, and its original is not at " + kept
                            + "; delete " + folder + " and build again");
                    return;
                }
                Path digest = digestOf(kept);
                if (!Files.isRegularFile(digest)
                        || !Arrays.equals(Files.readAllBytes(digest), BuildMark.digest(present))) {
                    faults.accept(file + ": another tool has changed this class after it was woven; let that tool run"
                            + " before weave, delete " + folder + " and build again");
                    return;
                }
            }
            ClassFile read = new ClassFile(Weaving.reader(original).getClassName(), path, present, original);
            files.add(read);
            // A multi-release jar has several files of a class; the others extend the first one's supertypes.
            if (!path.startsWith("META-INF")) {
                byName.put(read.name, read);
            }
        } catch (RuntimeException broken) {
            faults.accept(file + ": it is not a readable class file (" + broken + ")");
        }
    }

    /**
     * The module descriptors of the folder that do not require the API at run time.
     *
     * @throws IOException if one cannot be read
     */
    List<Path> modulesWithoutApi() throws IOException {
        List<Path> without = new ArrayList<>();
        for (Path module : modules) {
            if (!ModuleFile.requiresApi(Files.readAllBytes(module))) {
                without.add(module);
            }
        }
        return without;
    }

    /** The class files, sorted by path. */
    List<ClassFile> files() {
        return files;
    }

    /** Says which file is read next. From now on, a class with its name is this file, which may be one of several. */
    void begin(ClassFile file) {
        current = file;
    }

    @Override
    public @Nullable InputStream getResourceAsStream(String name) {
        String type = name.endsWith(SUFFIX) ? name.substring(0, name.length() - SUFFIX.length()) : "";
        ClassFile file = current != null && current.name.equals(type) ? current : byName.get(type);
        return file == null ? super.getResourceAsStream(name) : new ByteArrayInputStream(file.original);
    }

    /**
     * Makes a class file what it is to be. A file that is that already is not written, so that its time does not change.
     *
     * @param woven the woven class file; null if the class is not to be woven
     * @return whether the file was written
     */
    boolean put(ClassFile file, byte @Nullable [] woven) throws IOException {
        byte[] wanted = woven == null ? file.original : woven;
        if (Arrays.equals(wanted, file.present)) {
            if (woven == null) {
                deleteOriginal(file);
            }
            return false;
        }
        if (woven != null) {
            write(digestOf(originals.resolve(file.path)), BuildMark.digest(woven));
            write(originals.resolve(file.path), file.original);
        }
        write(folder.resolve(file.path), wanted);
        if (woven == null) {
            deleteOriginal(file);
        }
        return true;
    }

    private void deleteOriginal(ClassFile file) throws IOException {
        Files.deleteIfExists(originals.resolve(file.path));
        Files.deleteIfExists(digestOf(originals.resolve(file.path)));
    }

    /** Deletes the originals of classes that are no longer in the folder. */
    void deleteOtherOriginals() throws IOException {
        if (!Files.isDirectory(originals)) {
            return;
        }
        Set<Path> kept = new HashSet<>();
        for (ClassFile file : files) {
            kept.add(originals.resolve(file.path));
            kept.add(digestOf(originals.resolve(file.path)));
        }
        Files.walkFileTree(originals, new SimpleFileVisitor<Path>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                String name = String.valueOf(file.getFileName());
                if (!kept.contains(file) && (name.endsWith(SUFFIX) || name.endsWith(SUFFIX + DIGEST))) {
                    Files.delete(file);
                }
                return FileVisitResult.CONTINUE;
            }
        });
    }

    private static Path digestOf(Path original) {
        return original.resolveSibling(original.getFileName() + DIGEST);
    }

    /** A build that is killed leaves the file or its successor, and never a part of one. */
    private void write(Path file, byte[] bytes) throws IOException {
        // Not beside the class, where a jar would include what a killed build leaves.
        Path temporary = originals.resolve("next.part");
        Files.createDirectories(originals);
        Files.createDirectories(file.resolveSibling(""));
        Files.write(temporary, bytes);
        Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }
}
