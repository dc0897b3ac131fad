package io.counters.demo;

import io.counters.Count;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.locks.LockSupport;

/**
 * Runs as a separate process under the agent: counts until it reads a line, prints {@code counted N}, and goes on after the
 * next line. It ends with its stdin.
 */
final class HonestService {
    private static final int CALLS = 100;
    private static final long PAUSE_NANOS = 1_000_000;

    private HonestService() {}

    @Count("honest")
    private static void serve() {}

    public static void main(String... arguments) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        long counted = 0;
        System.out.println("serves");
        while (true) {
            while (!in.ready()) {
                for (int i = 0; i < CALLS; i++) {
                    serve();
                }
                counted += CALLS;
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
