package io.counters.collector;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.management.ManagementFactory;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.management.JMException;
import javax.management.ObjectName;

/** What the objects in the heap take that are in use; how much the heap has used depends on its size, too. */
public final class UsedHeap {
    private static final Pattern ROW = Pattern.compile("(?m)^ *\\d+: +\\d+ +(\\d+) +(\\S+)");

    private static final int READINGS_MAX = 50;
    private static final long SAME_BYTES = 16 * 1024;

    private UsedHeap() {}

    /**
     * Counts them, after garbage collections until three in a row find no less: what earlier tests of this JVM have used
     * is freed bit by bit, when their threads end and cleaners have run.
     */
    public static long bytes() throws JMException {
        long least = counted();
        for (int same = 0, all = 0; same < 3 && all < READINGS_MAX; all++) {
            long bytes = counted();
            same = bytes < least - SAME_BYTES ? 0 : same + 1;
            least = Math.min(least, bytes);
        }
        return least;
    }

    private static long counted() throws JMException {
        String histogram = (String) ManagementFactory.getPlatformMBeanServer()
                .invoke(
                        new ObjectName("com.sun.management:type=DiagnosticCommand"),
                        "gcClassHistogram",
                        new Object[] {new String[0]},
                        new String[] {String[].class.getName()});
        long bytes = 0;
        Matcher row = ROW.matcher(histogram);
        while (row.find()) {
            // What fills the regions of large arrays up is no object of the program.
            bytes += row.group(2).contains("jdk.internal.vm.Filler") ? 0 : Long.parseLong(row.group(1));
        }
        assertThat(bytes).as(histogram).isPositive();
        return bytes;
    }
}
