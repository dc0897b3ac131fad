package io.counters.benchmarks.startup;

/** The program whose start is measured: loads and initializes its classes, and ends. */
final class Program {
    private Program() {}

    /**
     * @param arguments the number of copies of {@link Part0000} to load, and {@code marked} to call {@link Marked} too
     */
    public static void main(String... arguments) throws ClassNotFoundException {
        int parts = Integer.parseInt(arguments[0]);
        String name = Program.class.getName().replace("Program", "Part");
        for (int i = 0; i < parts; i++) {
            String number = Integer.toString(10_000 + i).substring(1);
            Class.forName(name.concat(number));
        }
        if (arguments.length > 1 && Marked.call(1) != 2) {
            throw new AssertionError("instrumentation changed the result of a method");
        }
    }
}
