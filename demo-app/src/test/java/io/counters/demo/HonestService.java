package io.counters.demo;

import io.counters.Count;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.locks.LockSupport;

/**
 * Runs as a separate process under the agent: counts until it reads a line, prints {@code counted N}, and goes on after the
 * next line. It ends with its stdin. Its argument is the counter's name: {@value #EARLY} or one of the others.
 */
final class HonestService {
    static final String EARLY = "honest";

    /** For services that start later. */
    static final String LATE = "honest.late";

    static final String LATER = "honest.later";

    private static final Map<String, Runnable> CALLS =
            Map.of(EARLY, HonestService::serve, LATE, HonestService::serveLate, LATER, HonestService::serveLater);
    private static final int CALLS_AT_ONCE = 100;
    private static final long PAUSE_NANOS = 5_000_000;

    private HonestService() {}

    @Count(EARLY)
    private static void serve() {}

    @Count(LATE)
    private static void serveLate() {}

    @Count(LATER)
    private static void serveLater() {}

    public static void main(String... arguments) throws Exception {
        Runnable call = Objects.requireNonNull(CALLS.get(arguments[0]));
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        long counted = 0;
        System.out.println("serves");
        while (true) {
            while (!in.ready()) {
                for (int i = 0; i < CALLS_AT_ONCE; i++) {
                    call.run();
                }
                counted += CALLS_AT_ONCE;
                LockSupport.parkNanos(PAUSE_NANOS);
            }
            if (in.readLine() == null) {
                return;
            }
            System.out.println("counted " + counted);
            if (in.readLine() == null) {
                return;
            }
        }
    }
}
