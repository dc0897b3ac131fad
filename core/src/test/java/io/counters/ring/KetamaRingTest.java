package io.counters.ring;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.io.IOException;
import java.io.InputStream;
import java.math.BigInteger;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The tables next to this test contain the answers of the original C library. */
@Tag("once")
class KetamaRingTest {
    private static final Map<String, List<Long>> POINTS = new HashMap<>();

    private final KetamaHash hash = new KetamaHash();

    @ParameterizedTest
    @ValueSource(strings = {"7eq", "3w"})
    void every_key_belongs_to_the_server_that_libketama_chose(String table) throws Exception {
        List<String> servers = new ArrayList<>();
        List<Long> weights = new ArrayList<>();
        for (String line : lines("servers-" + table + ".conf")) {
            servers.add(line.split("\t", 2)[0]);
            weights.add(Long.valueOf(line.split("\t", 2)[1]));
        }
        KetamaRing ring = new KetamaRing(
                servers, weights.stream().mapToLong(Long::longValue).toArray());

        List<String> keys = lines("keys-" + table + ".tsv");

        assertThat(keys).hasSize(2000).allSatisfy(line -> {
            String[] keyAndServer = line.split("\t", 2);
            assertThat(servers.get(owner(ring, keyAndServer[0]))).isEqualTo(keyAndServer[1]);
        });
    }

    @ParameterizedTest
    @CsvSource({"1, 40", "2, 40", "7, 40", "25, 40", "60, 40", "61, 39", "117, 40"})
    void equal_servers_have_forty_hashes_except_where_a_float_rounds_down(int servers, int hashes) {
        assertThat(KetamaRing.hashes(100, 100L * servers, servers)).isEqualTo(hashes);
    }

    @ParameterizedTest
    @CsvSource({"900, 40", "300, 13", "1500, 66", "1, 0", "22, 0", "23, 1"})
    void a_server_has_hashes_in_proportion_to_its_weight(long weight, int hashes) {
        assertThat(KetamaRing.hashes(weight, 2700, 3)).isEqualTo(hashes);
    }

    @Test
    void a_key_on_a_point_belongs_to_it_and_one_past_the_highest_to_the_lowest() {
        List<String> servers =
                IntStream.range(0, 117).mapToObj(i -> "10.2.0." + i + ":11212").toList();
        long[] weights = new long[servers.size()];
        Arrays.fill(weights, 1);
        KetamaRing ring = new KetamaRing(servers, weights);

        Random random = new Random(117);
        for (int i = 0; i < 20_000; i++) {
            byte[] key = new byte[random.nextInt(40)];
            random.nextBytes(key);
            assertThat(ring.owner(key, 0, key.length, hash)).isEqualTo(slowOwner(servers, key));
        }
    }

    @Test
    void a_point_of_two_servers_belongs_to_the_first_in_the_list() throws Exception {
        // Hash 37 of one server and hash 2 of the other have a word in common.
        String one = "10.0.1.111:11212";
        String other = "10.0.2.230:11212";
        long shared = 803_745_391L;
        assertThat(points(one)).contains(shared);
        assertThat(points(other)).contains(shared);
        long below = Collections.max(IntStream.range(0, 2)
                .mapToObj(i -> points(i == 0 ? one : other))
                .flatMap(List::stream)
                .filter(point -> point < shared)
                .toList());
        String between = IntStream.range(0, 10_000_000)
                .mapToObj(i -> "k" + i)
                .filter(key -> {
                    byte[] bytes = key.getBytes(ISO_8859_1);
                    long point = hash.point(bytes, 0, bytes.length);
                    return point > below && point <= shared;
                })
                .findFirst()
                .orElseThrow();

        assertThat(owner(new KetamaRing(List.of(one, other), 1, 1), between)).isZero();
        assertThat(owner(new KetamaRing(List.of(other, one), 1, 1), between)).isZero();
    }

    @Test
    void a_key_in_the_middle_of_a_buffer_is_hashed_alone() {
        KetamaRing ring = new KetamaRing(List.of("a:1", "b:1", "c:1"), 1, 2, 3);

        for (int i = 0; i < 100; i++) {
            byte[] around = ("<key" + i + ">").getBytes(ISO_8859_1);
            assertThat(ring.owner(around, 1, around.length - 1, hash)).isEqualTo(owner(ring, "key" + i));
        }
    }

    @Test
    void a_ring_without_a_server_or_with_a_missing_or_zero_weight_is_refused() {
        assertThatIllegalArgumentException().isThrownBy(() -> new KetamaRing(List.of()));
        assertThatIllegalArgumentException().isThrownBy(() -> new KetamaRing(List.of("a", "b"), 1));
        assertThatIllegalArgumentException().isThrownBy(() -> new KetamaRing(List.of("a", "b"), 1, 0));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new KetamaRing(List.of("a"), -1))
                .withMessageContaining("weight is -1");
    }

    private int owner(KetamaRing ring, String key) {
        byte[] bytes = key.getBytes(ISO_8859_1);
        return ring.owner(bytes, 0, bytes.length, hash);
    }

    /** The rule written literally: compares every point. For servers of equal weight with 40 hashes. */
    private static int slowOwner(List<String> servers, byte[] key) {
        long sought = word(key, 0);
        long best = Long.MAX_VALUE;
        int owner = -1;
        for (int server = 0; server < servers.size(); server++) {
            for (long point : POINTS.computeIfAbsent(servers.get(server), KetamaRingTest::points)) {
                long distance = point >= sought ? point - sought : point + (1L << 40);
                if (distance < best) {
                    best = distance;
                    owner = server;
                }
            }
        }
        return owner;
    }

    private static List<Long> points(String server) {
        List<Long> points = new ArrayList<>();
        for (int k = 0; k < 40; k++) {
            for (int number = 0; number < 4; number++) {
                points.add(word((server + "-" + k).getBytes(ISO_8859_1), number));
            }
        }
        return points;
    }

    private static long word(byte[] bytes, int number) {
        try {
            byte[] digest = MessageDigest.getInstance("MD5").digest(bytes);
            byte[] word = {
                digest[4 * number + 3], digest[4 * number + 2], digest[4 * number + 1], digest[4 * number],
            };
            return new BigInteger(1, word).longValueExact();
        } catch (NoSuchAlgorithmException missing) {
            throw new AssertionError(missing);
        }
    }

    private static List<String> lines(String file) throws IOException {
        try (InputStream in = KetamaRingTest.class.getResourceAsStream(file)) {
            if (in == null) {
                throw new IOException(file + " is missing");
            }
            return new String(in.readAllBytes(), ISO_8859_1).lines().toList();
        }
    }
}
