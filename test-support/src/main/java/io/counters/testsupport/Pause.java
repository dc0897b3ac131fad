package io.counters.testsupport;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.awaitility.Awaitility;

/**
 * A process that hangs by SIGSTOP: its connections stay open, and it answers nothing. It continues when this JVM ends, even if
 * that is killed.
 */
public final class Pause implements AutoCloseable {
    private final Process pause;

    private Pause(Process pause) {
        this.pause = pause;
    }

    /** Stops a process, and waits until each of its threads is stopped. */
    public static Pause of(long pid) throws IOException {
        // What goes on is a process of its own, whose input ends when this JVM does.
        Process pause = new ProcessBuilder(
                        "sh", "-c", "kill -STOP $0; echo; read line; kill -CONT $0", Long.toString(pid))
                .start();
        pause.getInputStream().read();
        // On a busy machine, threads run on for a while after the signal was sent.
        Awaitility.await("process " + pid + " stops").until(() -> isStopped(pid));
        return new Pause(pause);
    }

    /** Whether each of its threads is stopped; true where there is no {@code /proc}. */
    private static boolean isStopped(long pid) {
        Path threads = Path.of("/proc", Long.toString(pid), "task");
        if (!Files.isDirectory(threads)) {
            return true;
        }
        try (DirectoryStream<Path> all = Files.newDirectoryStream(threads)) {
            for (Path thread : all) {
                if (!Files.readString(thread.resolve("stat")).matches("(?s).*\\) T .*")) {
                    return false;
                }
            }
        } catch (IOException ended) {
            return false;
        }
        return true;
    }

    /** Lets the process continue. */
    public void resume() throws IOException, InterruptedException {
        pause.getOutputStream().close();
        pause.waitFor();
    }

    /** Forgets the process, which was killed. */
    @Override
    public void close() {
        pause.destroyForcibly();
    }
}
