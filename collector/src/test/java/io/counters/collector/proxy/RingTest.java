package io.counters.collector.proxy;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.counters.collector.common.JoinedLines;
import io.counters.ring.KetamaHash;
import io.counters.ring.KetamaRing;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The key of each kind of message, checked with 200 names, so that two ways cannot agree by chance. */
class RingTest {
    private static final int NAMES = 200;

    private final List<Server> servers =
            IntStream.range(1, 18).mapToObj(i -> Server.of("h:" + i, i)).toList();
    private final Ring ring = new Ring(servers, List.of("pod"));
    private final KetamaRing libketama = new KetamaRing(
            servers.stream().map(Server::address).toList(),
            servers.stream().mapToLong(Server::weight).toArray());

    private int owner(String line) {
        int[] owner = {-1};
        byte[] in = (line + "\n").getBytes(UTF_8);
        new MessageParser(new MessageParser.Taker() {
                    @Override
                    public void message(byte[] in, int begin, int end, int keyBegin, int keyEnd) {
                        owner[0] = ring.owner(in, begin, end, keyBegin, keyEnd);
                    }

                    @Override
                    public void command(byte[] in, int begin, int end) {
                        throw new AssertionError("a command instead of a message");
                    }

                    @Override
                    public void refused(MessageRejection why, byte[] in, int begin, int end) {
                        throw new AssertionError(why);
                    }

                    @Override
                    public void passedOver(long bytes, long counts) {
                        throw new AssertionError("no stream");
                    }

                    @Override
                    public void unended(JoinedLines held, long bytes) {
                        throw new AssertionError("no stream");
                    }
                })
                .take(in, 0, in.length);
        return owner[0];
    }

    private int owns(String key) {
        byte[] in = key.getBytes(UTF_8);
        return libketama.owner(in, 0, in.length, new KetamaHash());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "%s:1|c|#b:2,a:1",
                "%s:1|c|#a:1,b:2",
                "%s:1|c|@0.5|#b:2,a:1|c:container",
                "%s:1:2:3|c|#a:1|#b:2",
                "%s:1|c|#a:1,b:2,pod:x7",
                "%s:1|c|#a:0,b:2,a:1,dd.internal.entity_id:5",
                "%s,b=2,a=1:1|c",
                "%s;b=2;a=1:1|c",
                "%s;pod=x:y;b=2;a=1:1|c",
                "%s#b=2,a=1:1|c\r",
                "%s[b=2,a=1]:1|c|@0.1",
                "%s;a=1:1|c|#b:2",
            })
    void a_counter_with_tags_in_any_form_and_order_has_the_key_of_its_canonical_name(String line) {
        for (int i = 0; i < NAMES; i++) {
            assertThat(owner(line.formatted("name" + i))).isEqualTo(owns("name" + i + ",a=1,b=2"));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"%s:1|c|#url:http://x/?q,b:\u00fc", "%s;b=\u00fc;url=http://x/?q:1|c"})
    void characters_that_the_collector_replaces_are_also_replaced_in_the_key(String line) {
        for (int i = 0; i < NAMES; i++) {
            assertThat(owner(line.formatted("name" + i))).isEqualTo(owns("name" + i + ",b=_,url=http_//x/_q"));
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "%s",
                "%s/a b",
                "\u00fc%s",
                "%s=1",
                "a=%s,b",
                "%s;a",
                "%s[0]",
                "%s[b=c",
                "%s(x)\\y",
                "%s,",
                "#%s",
                "%s{a}",
            })
    void a_key_without_tags_has_the_owner_that_libketama_finds_for_all_its_bytes(String key) {
        for (int i = 0; i < NAMES; i++) {
            String formatted = key.formatted("name" + i);
            assertThat(owner(formatted + ":1|c")).isEqualTo(owns(formatted));
            assertThat(owner(formatted + ":1|c|@0.1")).isEqualTo(owns(formatted));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"%s:1|g|#b:2,a:1", "%s:1|ms|@0.1|#b:2", "%s:1|s|#b:2", "%s:1|h|#b:2", "%s:1|kv|#b:2"})
    void a_message_that_is_not_a_counter_keeps_its_key(String line) {
        for (int i = 0; i < NAMES; i++) {
            assertThat(owner(line.formatted("name" + i))).isEqualTo(owns("name" + i));
            assertThat(owner("name" + i + ";b=2;a=1:1|g")).isEqualTo(owns("name" + i + ";b=2;a=1"));
        }
    }

    @Test
    void a_counter_with_tags_that_the_collector_rejects_keeps_its_key() {
        for (int i = 0; i < NAMES; i++) {
            assertThat(owner("name" + i + ":1|c|#a:1,b:2,c:3,d:4,e:5,f:6,g:7,h:8"))
                    .isEqualTo(owns("name" + i));
        }
    }

    @Test
    void a_frame_keeps_its_key() {
        for (int i = 0; i < NAMES; i++) {
            String key = "name" + i + ",b=2,a=1";
            byte[] frame = new byte[12 + key.length() + 1];
            System.arraycopy(MessageParserTest.hex("aa 02 0000 0000000000006940"), 0, frame, 0, 12);
            frame[2] = (byte) (key.length() + 1);
            System.arraycopy(key.getBytes(UTF_8), 0, frame, 12, key.length());

            assertThat(ring.owner(frame, 0, frame.length, 12, frame.length - 1)).isEqualTo(owns(key));
        }
    }
}
