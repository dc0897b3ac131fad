package io.counters.collector.common;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.slf4j.LoggerFactory;

/** A program with a thread that fails; {@link ThreadsTest} runs it in its own process. */
final class FailingProgram {
    /** Fills the heap and is never freed, so that there is no memory for logging either. */
    private static final List<Object> HEAP = new ArrayList<>();

    private FailingProgram() {}

    public static void main(String[] args) throws InterruptedException {
        // Logging is loaded, as in a program that has started: the last words have one second.
        LoggerFactory.getLogger(FailingProgram.class).info("started");
        Threads threads = new Threads();
        Runnable work = switch (args[0]) {
            case "memory" -> FailingProgram::fill;
            case "throws" ->
                () -> {
                    throw new IllegalStateException("broken on purpose");
                };
            case "must end" ->
                () -> {
                    throw new Threads.MustEnd("told to", new IllegalStateException("not shown")) {
                        private static final long serialVersionUID = 1;
                    };
                };
            case "ends" -> () -> {};
            default -> throw new IllegalArgumentException(args[0]);
        };
        // It keeps the program running: if Threads did nothing, its end would end the process with status 0.
        CountDownLatch never = new CountDownLatch(1);
        threads.daemon("goes-on", () -> await(never)).start();
        threads.foreground("fails", work).start();
        if (args[0].equals("memory")) {
            // Java's launcher, which needs memory to wait for other threads, would end the process with status 0.
            await(never);
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException nobodyShould) {
            Thread.currentThread().interrupt();
        }
    }

    @SuppressWarnings("InfiniteLoopStatement") // Until there is no memory.
    private static void fill() {
        int size = 1 << 20;
        while (true) {
            try {
                HEAP.add(new long[size]);
            } catch (OutOfMemoryError full) {
                if (size == 0) {
                    throw full;
                }
                size /= 2;
            }
        }
    }
}
