package io.counters.collector.common;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.util.Map;

/** Explains why a file or a folder cannot be used, and what to do about it. */
public final class DiskFault {
    /** The kernel's messages, and their meanings and remedies. */
    private static final Map<String, String> MEANINGS = Map.of(
            "No space left on device", "the disk is full; free some space",
            "Disk quota exceeded", "the disk quota is used up; free some space",
            "Read-only file system", "the file system is read-only; mount it for writing",
            "Permission denied", "no permission; let the user of this process write there",
            "Operation not permitted", "no permission; let the user of this process write there",
            "Not a directory", "a file is in the place of a folder; move it away",
            "Input/output error", "the disk fails; see the kernel's log",
            "Too many open files", "this process has too many open files; raise its limit, ulimit -n");

    private DiskFault() {}

    /** One sentence without its period: the reason, the remedy, and the file if it is known. */
    public static String text(IOException fault) {
        String file = fault instanceof FileSystemException named && named.getFile() != null
                ? " (" + named.getFile() + ")"
                : "";
        if (fault instanceof AccessDeniedException) {
            return MEANINGS.get("Permission denied") + file;
        }
        if (fault instanceof NoSuchFileException) {
            return "it does not exist" + file;
        }
        if (fault instanceof FileAlreadyExistsException) {
            return "a file with its name exists already" + file;
        }
        String said = fault instanceof FileSystemException named ? named.getReason() : fault.getMessage();
        return said == null ? fault + "" : MEANINGS.getOrDefault(said, said) + file;
    }
}
