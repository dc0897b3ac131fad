package io.counters.collector.commands;

import java.io.InputStream;
import java.io.PrintStream;
import java.util.concurrent.ThreadFactory;
import java.util.function.LongSupplier;

/**
 * The environment of a command.
 *
 * @param isTerminal whether a person reads {@code out} and types into {@code in}
 * @param isColored whether {@code out} may have colors
 * @param nanoClock monotonic
 * @param endings creates threads that run when the program ends, even by Ctrl-C
 */
public record Shell(
        InputStream in,
        PrintStream out,
        PrintStream err,
        boolean isTerminal,
        boolean isColored,
        LongSupplier nanoClock,
        ThreadFactory endings) {
    private static final String RESET = "\u001b[0m";

    /** A color of the terminal. */
    public enum Color {
        RED("31"),
        GREEN("32"),
        YELLOW("33"),
        REVERSE("7");

        private final String code;

        Color(String code) {
            this.code = code;
        }
    }

    /** The text in this color; unchanged if there are no colors. */
    public String in(Color color, String text) {
        return isColored ? "\u001b[" + color.code + "m" + text + RESET : text;
    }
}
