package io.counters.wire;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.nio.charset.Charset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

@Tag("once")
class StatsdNameTest {
    private final StatsdName cleaning = StatsdName.cleaning(List.of("pod", "container_id"));
    private final StatsdName strict = StatsdName.strict();

    @ParameterizedTest
    @MethodSource
    void a_name_is_cleaned_by_the_table(String line, String name, Set<Cleaning> cleanings) {
        assertThat(read(cleaning, line)).as("clean").isEqualTo(name);
        assertThat(cleanings(cleaning)).isEqualTo(cleanings);
        assertThat(new NameReader().read(name)).as("stored").isNull();
    }

    static Stream<Arguments> a_name_is_cleaned_by_the_table() {
        return Stream.of(
                // nothing to clean
                cleaned("a:1|c", "a"),
                cleaned("GET/users_1.all-x:1|c", "GET/users_1.all-x"),
                cleaned("a:1|c|#k:v", "a,k=v"),
                cleaned("a:1|c|#y:2,x:1", "a,x=1,y=2"),
                cleaned("a:1|c|@0.1|#y:2,x:1|T1", "a,x=1,y=2"),
                cleaned("a,y=2,x=1:1|c", "a,x=1,y=2"),
                cleaned("a,y=2:1|c|#x:1", "a,x=1,y=2"),
                cleaned("a:1|g|#k:v", "a,k=v"),
                cleaned("a:1|ms|#k:v", "a,k=v"),
                cleaned("a:+5|g", "a"),
                cleaned("a:1:2:3|c|#k:v\r\n", "a,k=v"),
                cleaned("a:-1:.5:1e3|c", "a"),
                cleaned("a:1|c|#k:v \0\n", "a,k=v"),
                // characters of tags
                cleaned("a:1|c|#url:http://x:80/p?q=1", "a,url=http_//x_80/p_q_1", Cleaning.TAG_LETTER),
                cleaned("a:1|c|#ip:10.0.0.1:8080", "a,ip=10.0.0.1_8080", Cleaning.TAG_LETTER),
                cleaned("a:1|c|#route:/users/{id}", "a,route=/users/_id_", Cleaning.TAG_LETTER),
                cleaned("a:1|c|#agent:Mozilla 5.0", "a,agent=Mozilla_5.0", Cleaning.TAG_LETTER),
                cleaned("a:1|c|#v:1+2", "a,v=1_2", Cleaning.TAG_LETTER),
                cleaned("a:1|c|#my key:v", "a,my_key=v", Cleaning.TAG_LETTER),
                cleaned("a:1|c|#x:1, y:2", "a,_y=2,x=1", Cleaning.TAG_LETTER),
                cleaned("a:1|c|#city:Zürich", "a,city=Z_rich", Cleaning.TAG_LETTER),
                cleaned("a:1|c|#city:東京", "a,city=__", Cleaning.TAG_LETTER),
                cleaned("a:1|c|#mood:😀!", "a,mood=__", Cleaning.TAG_LETTER),
                cleaned("a:1|c|#k:\0v", "a,k=_v", Cleaning.TAG_LETTER),
                // tags without a key or a value
                cleaned("a:1|c|#k", "a,k=true", Cleaning.TAG_WITHOUT_VALUE),
                cleaned("a:1|c|#x:1,k,y:2", "a,k=true,x=1,y=2", Cleaning.TAG_WITHOUT_VALUE),
                cleaned("a:1|c|#k=v", "a,k_v=true", Cleaning.TAG_WITHOUT_VALUE, Cleaning.TAG_LETTER),
                cleaned("a:1|c|#", "a", Cleaning.EMPTY_TAG),
                cleaned("a:1|c|#|@0.5", "a", Cleaning.EMPTY_TAG),
                cleaned("a:1|c|#k:", "a", Cleaning.EMPTY_TAG),
                cleaned("a:1|c|#k:,x:1", "a,x=1", Cleaning.EMPTY_TAG),
                cleaned("a:1|c|#:v", "a", Cleaning.EMPTY_TAG),
                cleaned("a:1|c|#x:1,", "a,x=1", Cleaning.EMPTY_TAG),
                cleaned("a:1|c|#,x:1", "a,x=1", Cleaning.EMPTY_TAG),
                cleaned("a:1|c|#x:1,,y:2", "a,x=1,y=2", Cleaning.EMPTY_TAG),
                cleaned("a:1|c|#,", "a", Cleaning.EMPTY_TAG),
                // repeated keys
                cleaned("a:1|c|#k:1,k:2", "a,k=2", Cleaning.REPEATED_TAG),
                cleaned("a:1|c|#k:2,j:3,k:1", "a,j=3,k=1", Cleaning.REPEATED_TAG),
                cleaned("a,k=1:1|c|#k:2", "a,k=2", Cleaning.REPEATED_TAG),
                cleaned("a:1|c|#k:1|#k:2,l:3", "a,k=2,l=3", Cleaning.REPEATED_TAG),
                cleaned("a:1|c|#k:1,k:", "a,k=1", Cleaning.EMPTY_TAG),
                cleaned("a:1|c|#k b:1,k_b:2", "a,k_b=2", Cleaning.REPEATED_TAG, Cleaning.TAG_LETTER),
                cleaned("a:1|c|#" + "k:1,".repeat(20) + "k:9", "a,k=9", Cleaning.REPEATED_TAG),
                // tags left out
                cleaned("a:1|c|#dd.internal.entity_id:0a-1b", "a", Cleaning.DROPPED_TAG),
                cleaned("a:1|c|#x:1,dd.internal.entity_id:0a,y:2", "a,x=1,y=2", Cleaning.DROPPED_TAG),
                cleaned("a:1|c|#pod:p-1,x:1,container_id:c", "a,x=1", Cleaning.DROPPED_TAG),
                cleaned("a,pod=p-1:1|c", "a", Cleaning.DROPPED_TAG),
                cleaned("a:1|c|#pod", "a", Cleaning.DROPPED_TAG),
                cleaned("a:1|c|#pods:p,po:p", "a,po=p,pods=p"),
                cleaned("a:1|c|#container id:c", "a", Cleaning.DROPPED_TAG, Cleaning.TAG_LETTER),
                cleaned(
                        "a:1|c|#a:1,b:2,c:3,pod:x,d:4,e:5,f:6,g:7",
                        "a,a=1,b=2,c=3,d=4,e=5,f=6,g=7",
                        Cleaning.DROPPED_TAG),
                // names
                cleaned("my counter:1|c", "my_counter", Cleaning.NAME_LETTER),
                cleaned("GET /users (all)\\x:1|c", "GET_/users__all__x", Cleaning.NAME_LETTER),
                cleaned("größe:1|c", "gr__e", Cleaning.NAME_LETTER),
                cleaned("支付:1|c", "__", Cleaning.NAME_LETTER),
                cleaned("foo[0]:1|c", "foo_0_", Cleaning.NAME_LETTER),
                cleaned("a;b:1|c", "a_b", Cleaning.NAME_LETTER),
                cleaned("a,b:1|c", "a_b", Cleaning.NAME_LETTER),
                cleaned("a#b:1|c|#k:v", "a_b,k=v", Cleaning.NAME_LETTER),
                cleaned("a=b:1|c", "a_b", Cleaning.NAME_LETTER),
                cleaned("a b:1|c|#k:v w", "a_b,k=v_w", Cleaning.NAME_LETTER, Cleaning.TAG_LETTER),
                // tags in names
                cleaned("n;k=v;j=w:1|c", "n,j=w,k=v", Cleaning.TAGS_IN_NAME),
                cleaned("n#k=v,j=w:1|c", "n,j=w,k=v", Cleaning.TAGS_IN_NAME),
                cleaned("n[k=v,j=w]:1|c", "n,j=w,k=v", Cleaning.TAGS_IN_NAME),
                cleaned("n[k=v,j=w].m:1|c", "n.m,j=w,k=v", Cleaning.TAGS_IN_NAME),
                cleaned("[k=v]m:1|c", "m,k=v", Cleaning.TAGS_IN_NAME),
                cleaned("n,k=v w:1|c", "n,k=v_w", Cleaning.TAG_LETTER),
                cleaned("n,k=a\\,b\\=c,j=w:1|c", "n,j=w,k=a_b__c", Cleaning.TAG_LETTER),
                cleaned("a:1|c|#k:C\\x,j:w", "a,j=w,k=C_x", Cleaning.TAG_LETTER),
                cleaned("a:1|c|#k\\:l:w\\", "a,k_l=w_", Cleaning.TAG_LETTER),
                cleaned("n;k=v;flag:1|c", "n,flag=true,k=v", Cleaning.TAGS_IN_NAME, Cleaning.TAG_WITHOUT_VALUE),
                cleaned("n;k=v,w:1|c", "n,k=v_w", Cleaning.TAGS_IN_NAME, Cleaning.TAG_LETTER),
                cleaned("n;k=v:1|c|#j:w", "n,j=w,k=v", Cleaning.TAGS_IN_NAME),
                cleaned("n;url=http://x:80/:1|c", "n,url=http_//x_80/", Cleaning.TAGS_IN_NAME, Cleaning.TAG_LETTER),
                cleaned("foo[0],k=v:1|c", "foo_0_,k=v", Cleaning.NAME_LETTER));
    }

    private static Arguments cleaned(String line, String name, Cleaning... cleanings) {
        Set<Cleaning> all = EnumSet.noneOf(Cleaning.class);
        Collections.addAll(all, cleanings);
        return arguments(line, name, all);
    }

    @ParameterizedTest
    @MethodSource
    void a_name_that_cannot_be_cleaned_is_rejected(
            String line, Rejection whenCleaning, @Nullable Rejection whenStrict) {
        assertThat(cleaning.readLine(line.getBytes(UTF_8), 0, line.getBytes(UTF_8).length))
                .isEqualTo(whenCleaning);
        assertThat(strict.readLine(line.getBytes(UTF_8), 0, line.getBytes(UTF_8).length))
                .isEqualTo(whenStrict);
    }

    static Stream<Arguments> a_name_that_cannot_be_cleaned_is_rejected() {
        return Stream.of(
                arguments(":1|c", Rejection.EMPTY_NAME, Rejection.EMPTY_NAME),
                arguments(";k=v:1|c", Rejection.EMPTY_NAME, Rejection.NAME_LETTER),
                arguments(",k=v:1|c", Rejection.EMPTY_NAME, Rejection.EMPTY_NAME),
                arguments("[k=v]:1|c", Rejection.EMPTY_NAME, Rejection.NAME_LETTER),
                arguments("a:1", Rejection.STATSD_FORM, Rejection.STATSD_FORM),
                arguments("a", Rejection.STATSD_FORM, Rejection.STATSD_FORM),
                arguments("", Rejection.STATSD_FORM, Rejection.STATSD_FORM),
                arguments("a:b:1|c", Rejection.STATSD_COLON, Rejection.STATSD_COLON),
                arguments("Foo::Bar:1|c", Rejection.STATSD_COLON, Rejection.STATSD_COLON),
                arguments("10.0.0.1:80.requests:1|c", Rejection.STATSD_COLON, Rejection.STATSD_COLON),
                arguments("n;url=http://x:1|c", null, Rejection.STATSD_COLON),
                arguments("a:1|c|#a:1,b:2,c:3,d:4,e:5,f:6,g:7,h:8", Rejection.TOO_MANY_TAGS, Rejection.TOO_MANY_TAGS),
                arguments("a,h=8:1|c|#a:1,b:2,c:3,d:4,e:5,f:6,g:7", Rejection.TOO_MANY_TAGS, Rejection.TOO_MANY_TAGS),
                arguments("n".repeat(251) + ":1|c", Rejection.NAME_TOO_LONG, Rejection.NAME_TOO_LONG),
                arguments("n".repeat(247) + ":1|c|#k:v", Rejection.NAME_TOO_LONG, Rejection.NAME_TOO_LONG),
                arguments("n".repeat(246) + ":1|c|#k:v", null, null),
                arguments("n".repeat(1022) + ":1|c", Rejection.LINE_TOO_LONG, Rejection.LINE_TOO_LONG),
                arguments("a b:1|c", null, Rejection.NAME_LETTER),
                arguments("a:1|c|#k", null, Rejection.TAG_FORM),
                arguments("a:1|c|#", null, Rejection.TAG_FORM),
                arguments("a:1|c|#k:1,k:2", null, Rejection.REPEATED_TAG),
                arguments("a:1|c|#k:1|#l:2", null, Rejection.STATSD_FORM),
                arguments("a:1|c|#dd.internal.entity_id:x", null, null));
    }

    @Test
    void bytes_outside_utf8_become_one_underscore_each() {
        for (String bytes :
                List.of("\u0080", "\u00c3", "\u00c0\u0080", "\u00e6\u009d", "\u00ff\u00fe", "\u00f5\u0080")) {
            assertThat(read(cleaning, bytes + "x:1|c|#k:" + bytes + "y", ISO_8859_1))
                    .isEqualTo("_".repeat(bytes.length()) + "x,k=" + "_".repeat(bytes.length()) + "y");
        }
    }

    @Test
    void a_strict_name_keeps_the_tag_that_cleaning_always_leaves_out() {
        assertThat(read(strict, "a:1|c|#dd.internal.entity_id:x")).isEqualTo("a,dd.internal.entity_id=x");
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void the_order_of_tags_does_not_change_the_name(int seed) {
        Random random = new Random(seed);
        List<String> keys = new ArrayList<>(List.of("a", "B", "-", "_", "kk", "k", "k.1"));
        Collections.shuffle(keys, random);
        List<String> tags = keys.subList(0, 1 + random.nextInt(7));
        NameReader own = new NameReader();
        own.read("n,"
                + String.join(",", tags.stream().map(key -> key + "=v" + key).toList()));
        String name = own.name();
        Collections.shuffle(tags, random);
        String fields =
                String.join(",", tags.stream().map(key -> key + ":v" + key).toList());

        assertThat(read(cleaning, "n:1|c|#" + fields)).isEqualTo(name);
        assertThat(read(strict, "n:1|c|#" + fields)).isEqualTo(name);
        assertThat(read(cleaning, "n;" + fields.replace(':', '=').replace(',', ';') + ":1|c"))
                .isEqualTo(name);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void any_bytes_become_only_names_that_can_be_stored(int seed) {
        Random random = new Random(seed);
        for (int i = 0; i < 20; i++) {
            byte[] line = line(random);

            Rejection why = cleaning.readLine(line, 0, line.length);
            if (why == null) {
                NameReader reader = new NameReader();
                assertThat(reader.read(cleaning.bytes, cleaning.from, cleaning.to))
                        .as("%s", Arrays.toString(line))
                        .isNull();
                assertThat(reader.bytes).as("the name, which is canonical").isSameAs(cleaning.bytes);
            }
            String strictly = strict.readLine(line, 0, line.length) == null ? text(strict) : null;
            if (strictly != null && why == null && !cleaning.isCleaned()) {
                assertThat(text(cleaning)).isEqualTo(strictly);
            }
        }
    }

    private static byte[] line(Random random) {
        List<String> parts = List.of(
                "a",
                "orders.placed",
                ":",
                "1",
                "|c",
                "|#",
                ",",
                ";",
                "#",
                "[",
                "]",
                "=",
                "k",
                "pod",
                "v",
                "|",
                "@0.1",
                " ",
                "\u00fc",
                "\u00c3\u00bc",
                "\u00e6",
                "\0",
                "dd.internal.entity_id",
                "x".repeat(random.nextInt(200)),
                "=v,",
                "k=v;",
                "j:w,");
        StringBuilder text = new StringBuilder("n");
        for (int i = random.nextInt(24); i > 0; i--) {
            text.append(parts.get(random.nextInt(parts.size())));
        }
        text.append(random.nextBoolean() ? ":1|c" : "").append(random.nextBoolean() ? "|#a:b,c,d:" : "");
        byte[] bytes = text.toString().getBytes(ISO_8859_1);
        for (int i = random.nextInt(3); i > 0; i--) {
            bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
        }
        return bytes;
    }

    static IntStream seeds() {
        return IntStream.range(0, 1_000);
    }

    private static String read(StatsdName reader, String line) {
        return read(reader, line, UTF_8);
    }

    private static String read(StatsdName reader, String line, Charset charset) {
        byte[] bytes = ("xx" + line + "xx").getBytes(charset);
        Rejection why = reader.readLine(bytes, 2, bytes.length - 2);
        return why == null ? text(reader) : why.toString();
    }

    private static String text(StatsdName name) {
        return new String(name.bytes, name.from, name.to - name.from, ISO_8859_1);
    }

    private static Set<Cleaning> cleanings(StatsdName name) {
        Set<Cleaning> all = EnumSet.noneOf(Cleaning.class);
        for (Cleaning why : Cleaning.values()) {
            if (name.was(why)) {
                all.add(why);
            }
        }
        return all;
    }
}
