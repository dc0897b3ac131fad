package io.counters.agent.weave;

import static java.nio.charset.StandardCharsets.UTF_8;

/** Searches the constants of a class file for annotations that count. For most classes nothing else is done. */
final class ConstantPool {
    private static final byte[] MOVED_COUNT = Mark.MOVED_COUNT.getBytes(UTF_8);
    private static final byte[] MOVED_COUNTS = Mark.MOVED_COUNTS.getBytes(UTF_8);

    private ConstantPool() {}

    /**
     * Whether the constants include one of these strings, or {@code @Count} in another package. False if a constant has
     * an unknown type before one is found.
     */
    static boolean mentions(byte[][] needles, byte[] bytes) {
        return search(needles, bytes, true);
    }

    /** Whether the constants include one of these strings. */
    static boolean contain(byte[][] needles, byte[] bytes) {
        return search(needles, bytes, false);
    }

    /** @param orMoved whether {@code @Count} in another package is found, too */
    private static boolean search(byte[][] needles, byte[] bytes, boolean orMoved) {
        int constants = u2(bytes, 8);
        int at = 10;
        for (int i = 1; i < constants; i++) {
            switch (bytes[at]) {
                case 1: // a string
                    int length = u2(bytes, at + 1);
                    for (byte[] needle : needles) {
                        if (needle.length == length && is(needle, bytes, at + 3)) {
                            return true;
                        }
                    }
                    at += 3 + length;
                    if (orMoved
                            && bytes[at - 1] == ';'
                            && (ends(MOVED_COUNT, length, bytes, at) || ends(MOVED_COUNTS, length, bytes, at))) {
                        return true;
                    }
                    break;
                case 5: // a long or a double, which occupies two entries
                case 6:
                    at += 9;
                    i++;
                    break;
                case 7: // a class, a String, a method type, a module, a package
                case 8:
                case 16:
                case 19:
                case 20:
                    at += 3;
                    break;
                case 15: // a method handle
                    at += 4;
                    break;
                case 3: // an int, a float, a reference to a member, a name and type, a dynamic constant or call
                case 4:
                case 9:
                case 10:
                case 11:
                case 12:
                case 17:
                case 18:
                    at += 5;
                    break;
                default:
                    return false;
            }
        }
        return false;
    }

    private static boolean ends(byte[] wanted, int length, byte[] bytes, int end) {
        return length > wanted.length && is(wanted, bytes, end - wanted.length);
    }

    private static boolean is(byte[] wanted, byte[] bytes, int at) {
        for (int i = wanted.length - 1; i >= 0; i--) {
            if (bytes[at + i] != wanted[i]) {
                return false;
            }
        }
        return true;
    }

    private static int u2(byte[] bytes, int at) {
        return (bytes[at] & 0xff) << 8 | (bytes[at + 1] & 0xff);
    }
}
