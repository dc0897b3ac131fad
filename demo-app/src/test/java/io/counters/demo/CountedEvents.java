package io.counters.demo;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.counters.Count;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;

/** Runs as a separate process under the agent: counts as many events as each line of its stdin says. */
final class CountedEvents {
    static final String NAME = "ways.agent";

    private CountedEvents() {}

    @Count(NAME)
    private static void happen() {}

    public static void main(String... arguments) throws IOException {
        System.out.println("counts");
        countAsTold(CountedEvents::happen);
    }

    /** Until its stdin ends. After each line of it the program prints {@code counted}. */
    static void countAsTold(Runnable event) throws IOException {
        BufferedReader told = new BufferedReader(new InputStreamReader(System.in, UTF_8));
        for (String line = told.readLine(); line != null; line = told.readLine()) {
            for (int i = Integer.parseInt(line); i > 0; i--) {
                event.run();
            }
            System.out.println("counted");
        }
    }
}
