package io.counters.wire;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

@Tag("once")
class CommandReaderTest {
    private static final String SENDER = "8f2c6a1e0b7d4c93a5e1f07b";
    private static final String OTHER = "host:1/a-b_c.D012345";
    private static final String MAC = "0123456789abcdef0123456789abcdef";
    private static final String SEVEN_TAGS = "a,a=1,b=2,c=3,d=4,e=5,f=6,g=7";

    @ParameterizedTest
    @MethodSource
    void a_valid_line_is_one_command(String line, String command) {
        assertThat(RecordedCommands.datagram(line)).as("datagram").containsExactly(command);
        assertThat(RecordedCommands.stream(line)).as("line of a stream").containsExactly(command);
    }

    static Stream<Arguments> a_valid_line_is_one_command() {
        return Stream.of(
                // commands
                arguments("increment YourAwesomeCounter", "INCREMENT YourAwesomeCounter 1"),
                arguments("decrement YourAwesomeCounter", "DECREMENT YourAwesomeCounter 1"),
                arguments("increment a\n", "INCREMENT a 1"),
                arguments("increment a\r\n", "INCREMENT a 1"),
                arguments("increment a\r", "INCREMENT a 1"),
                arguments("increment a 3", "INCREMENT a 3"),
                arguments("increment a 3\r\n", "INCREMENT a 3"),
                arguments("increment a 0", "INCREMENT a 0"),
                arguments("increment a 007", "INCREMENT a 7"),
                arguments("increment a 9007199254740992", "INCREMENT a 9007199254740992"),
                arguments("increment a 3 1207", "INCREMENT a 3 1207"),
                arguments("decrement a 3 3\r\n", "DECREMENT a 3 3"),
                arguments("increment a 0 0", "INCREMENT a 0 0"),
                arguments("increment a 1 9223372036854775807", "INCREMENT a 1 9223372036854775807"),
                arguments("increment increment", "INCREMENT increment 1"),
                arguments("increment -", "INCREMENT - 1"),
                arguments("increment 7", "INCREMENT 7 1"),
                // names
                arguments("increment " + letters(), "INCREMENT " + letters() + " 1"),
                arguments("increment a,x=1,y=2", "INCREMENT a,x=1,y=2 1"),
                arguments("increment a,y=2,x=1", "INCREMENT a,x=1,y=2 1"),
                arguments("increment a,y=2,x=1 5 6", "INCREMENT a,x=1,y=2 5 6"),
                arguments("increment a,c=3,b=2,a=1", "INCREMENT a,a=1,b=2,c=3 1"),
                arguments("increment a,xx=1,x=2", "INCREMENT a,x=2,xx=1 1"),
                arguments("increment a,b=1,B=2,_=3,-=4", "INCREMENT a,-=4,B=2,_=3,b=1 1"),
                arguments("increment " + SEVEN_TAGS, "INCREMENT " + SEVEN_TAGS + " 1"),
                arguments("increment a,g=7,f=6,e=5,d=4,c=3,b=2,a=1", "INCREMENT " + SEVEN_TAGS + " 1"),
                arguments("increment " + "n".repeat(250), "INCREMENT " + "n".repeat(250) + " 1"),
                arguments("increment n,b=" + "v".repeat(240) + ",a=1", "INCREMENT n,a=1,b=" + "v".repeat(240) + " 1"),
                // StatsD
                arguments("a:3|c", "INCREMENT a 3"),
                arguments("a:3|c\r\n", "INCREMENT a 3"),
                arguments("a:-1|c", "DECREMENT a 1"),
                arguments("a:+3|c", "INCREMENT a 3"),
                arguments("a:0|c", "INCREMENT a 0"),
                arguments("a:9007199254740992|c", "INCREMENT a 9007199254740992"),
                arguments("increment:3|c", "INCREMENT increment 3"),
                arguments("from:3|c", "INCREMENT from 3"),
                arguments("signed:3|c", "INCREMENT signed 3"),
                arguments("a:1|c|@0.1", "INCREMENT a 10"),
                arguments("a:-1|c|@0.1", "DECREMENT a 10"),
                arguments("a:7|c|@1", "INCREMENT a 7"),
                arguments("a:7|c|@1.0", "INCREMENT a 7"),
                arguments("a:1|c|@1E-3", "INCREMENT a 1000"),
                arguments("a:1|c|@1e-3", "INCREMENT a 1000"),
                arguments("a:1|c|@.5", "INCREMENT a 2"),
                arguments("a:0|c|@1E-999999999", "INCREMENT a 0"),
                arguments("a:1|c|#y:2,x:1", "INCREMENT a,x=1,y=2 1"),
                arguments("a,z=0:1|c|#y:2,x:1", "INCREMENT a,x=1,y=2,z=0 1"),
                arguments("a,y=2,x=1:1|c", "INCREMENT a,x=1,y=2 1"),
                arguments("a:1|c|@0.5|#x:1", "INCREMENT a,x=1 2"),
                arguments("a:1|c|#x:1|@0.5", "INCREMENT a,x=1 2"),
                arguments(
                        "a:1|c|#x:1|c:83c0a99c0a54c0c187f461c7980e9b57f3f6a8b0c918c8d93df19a9de6f3fe1d",
                        "INCREMENT a,x=1 1"),
                arguments("a:1|c|T1656581400", "INCREMENT a 1"),
                arguments("a:1|c|e:it-false,cn-x", "INCREMENT a 1"),
                arguments("a:1|c|card:low", "INCREMENT a 1"),
                arguments("a:2|c|@0.5|#x:1|c:in-1|e:x|card:none|T1", "INCREMENT a,x=1 4"));
    }

    @ParameterizedTest
    @MethodSource
    void an_invalid_line_is_rejected_with_the_rule(String line, Rejection why) {
        String text = line.replaceFirst("\r?\n$", "");

        assertThat(RecordedCommands.datagram(line)).as("datagram").containsExactly(why + " <" + text + ">");
        assertThat(RecordedCommands.stream(line)).as("line of a stream").containsExactly(why + " <" + text + ">");
    }

    static Stream<Arguments> an_invalid_line_is_rejected_with_the_rule() {
        return Stream.of(
                // verbs
                arguments("x", Rejection.UNKNOWN_VERB),
                arguments("increment", Rejection.COMMAND_FORM),
                arguments("increment\ta", Rejection.UNKNOWN_VERB),
                arguments("Increment a", Rejection.UNKNOWN_VERB),
                arguments("INCREMENT a", Rejection.UNKNOWN_VERB),
                arguments("incr a 1", Rejection.UNKNOWN_VERB),
                arguments(" increment a", Rejection.UNKNOWN_VERB),
                arguments("_sc|check|0", Rejection.UNKNOWN_VERB),
                // names
                arguments("increment ", Rejection.EMPTY_NAME),
                arguments("increment  a", Rejection.EMPTY_NAME),
                arguments("increment ,x=1", Rejection.EMPTY_NAME),
                arguments(":1|c", Rejection.EMPTY_NAME),
                arguments("increment a\rb", Rejection.NAME_LETTER),
                arguments("increment a\r\r\n", Rejection.NAME_LETTER),
                arguments("increment a=b", Rejection.NAME_LETTER),
                arguments("increment a:1|c", Rejection.NAME_LETTER),
                arguments("increment ä", Rejection.NAME_LETTER),
                arguments("increment a,k!=1", Rejection.NAME_LETTER),
                arguments("increment a,k=!", Rejection.NAME_LETTER),
                arguments("increment a,k=v=w", Rejection.NAME_LETTER),
                arguments("increment a,k==v", Rejection.NAME_LETTER),
                arguments("increment a,k=v;l=w", Rejection.NAME_LETTER),
                arguments("a b:1|c", Rejection.NAME_LETTER),
                arguments("a:1|c|#k:v:w", Rejection.NAME_LETTER),
                arguments("a:1|c|#k=v", Rejection.NAME_LETTER),
                arguments("increment a,", Rejection.TAG_FORM),
                arguments("increment a,k", Rejection.TAG_FORM),
                arguments("increment a,k=", Rejection.TAG_FORM),
                arguments("increment a,=v", Rejection.TAG_FORM),
                arguments("increment a,k=,l=w", Rejection.TAG_FORM),
                arguments("increment a,k,l=w", Rejection.TAG_FORM),
                arguments("increment a,,k=v", Rejection.TAG_FORM),
                arguments("increment a,k=v,", Rejection.TAG_FORM),
                arguments("a:1|c|#", Rejection.TAG_FORM),
                arguments("a:1|c|#k", Rejection.TAG_FORM),
                arguments("a:1|c|#k:", Rejection.TAG_FORM),
                arguments("increment a,k=v,k=v", Rejection.REPEATED_TAG),
                arguments("increment a,k=1,j=2,k=3", Rejection.REPEATED_TAG),
                arguments("increment a,c=1,b=2,a=3,b=4", Rejection.REPEATED_TAG),
                arguments("a,k=1:1|c|#k:2", Rejection.REPEATED_TAG),
                arguments("increment " + SEVEN_TAGS + ",h=8", Rejection.TOO_MANY_TAGS),
                arguments(SEVEN_TAGS + ":1|c|#h:8", Rejection.TOO_MANY_TAGS),
                arguments("increment " + "n".repeat(251), Rejection.NAME_TOO_LONG),
                arguments("increment n,a=1,b=" + "v".repeat(243), Rejection.NAME_TOO_LONG),
                arguments("n".repeat(251) + ":1|c", Rejection.NAME_TOO_LONG),
                arguments("n".repeat(247) + ":1|c|#k:v", Rejection.NAME_TOO_LONG),
                // amounts and totals
                arguments("increment a ", Rejection.COMMAND_FORM),
                arguments("increment a  3", Rejection.COMMAND_FORM),
                arguments("increment a 3 ", Rejection.COMMAND_FORM),
                arguments("increment a 3  3", Rejection.COMMAND_FORM),
                arguments("increment a 3 4 5", Rejection.COMMAND_FORM),
                arguments("increment a 3 4 ", Rejection.COMMAND_FORM),
                arguments("increment a x", Rejection.AMOUNT_FORM),
                arguments("increment a +3", Rejection.AMOUNT_FORM),
                arguments("increment a -3", Rejection.AMOUNT_FORM),
                arguments("increment a 3.0", Rejection.AMOUNT_FORM),
                arguments("increment a 0x3", Rejection.AMOUNT_FORM),
                arguments("increment a 3\t4", Rejection.AMOUNT_FORM),
                arguments("increment a 9007199254740993", Rejection.AMOUNT_TOO_LARGE),
                arguments("increment a 9223372036854775807", Rejection.AMOUNT_TOO_LARGE),
                arguments("increment a 9223372036854775808", Rejection.AMOUNT_TOO_LARGE),
                arguments("increment a 18446744073709551617", Rejection.AMOUNT_TOO_LARGE),
                arguments("increment a " + "9".repeat(500), Rejection.AMOUNT_TOO_LARGE),
                arguments("increment a 1 x", Rejection.TOTAL_FORM),
                arguments("increment a 1 +1", Rejection.TOTAL_FORM),
                arguments("increment a 1 -1", Rejection.TOTAL_FORM),
                arguments("increment a 1 9223372036854775808", Rejection.TOTAL_FORM),
                arguments("increment a 1 18446744073709551617", Rejection.TOTAL_FORM),
                arguments("increment a 2 1", Rejection.TOTAL_BELOW_AMOUNT),
                arguments("decrement a 1 0", Rejection.TOTAL_BELOW_AMOUNT),
                // StatsD
                arguments("a:", Rejection.STATSD_FORM),
                arguments("a:1", Rejection.STATSD_FORM),
                arguments("a:1|", Rejection.STATSD_FORM),
                arguments("a:1||", Rejection.STATSD_FORM),
                arguments("a:1|c|", Rejection.STATSD_FORM),
                arguments("a:1|c||@1", Rejection.STATSD_FORM),
                arguments("a:1|c|@1|", Rejection.STATSD_FORM),
                arguments("a:1|c|#k:v|#l:w", Rejection.STATSD_FORM),
                arguments("a:1|g", Rejection.STATSD_TYPE),
                arguments("a:+1|g", Rejection.STATSD_TYPE),
                arguments("a:1|ms", Rejection.STATSD_TYPE),
                arguments("a:1|h", Rejection.STATSD_TYPE),
                arguments("a:1|d", Rejection.STATSD_TYPE),
                arguments("a:x|s", Rejection.STATSD_TYPE),
                arguments("a:1|kv", Rejection.STATSD_TYPE),
                arguments("a:1|C", Rejection.STATSD_TYPE),
                arguments("a:1|cc", Rejection.STATSD_TYPE),
                arguments("_e{5,4}:title|text", Rejection.STATSD_TYPE),
                arguments("a:|c", Rejection.STATSD_VALUE),
                arguments("a:-|c", Rejection.STATSD_VALUE),
                arguments("a:--1|c", Rejection.STATSD_VALUE),
                arguments("a:1|c|@0", Rejection.STATSD_RATE),
                arguments("a:1|c|@0.0", Rejection.STATSD_RATE),
                arguments("a:1|c|@1.5", Rejection.STATSD_RATE),
                arguments("a:1|c|@1E+2147483647", Rejection.STATSD_RATE),
                arguments("a:1|c|@-0.1", Rejection.STATSD_RATE),
                arguments("a:1|c|@", Rejection.STATSD_RATE),
                arguments("a:1|c|@x", Rejection.STATSD_RATE),
                arguments("a:1|c|@NaN", Rejection.STATSD_RATE),
                arguments("a:1|c|@ 0.1", Rejection.STATSD_RATE),
                arguments("a:1|c|@0.5|@0.5", Rejection.STATSD_RATE),
                arguments("a:9007199254740993|c", Rejection.AMOUNT_TOO_LARGE),
                arguments("a:-9007199254740993|c", Rejection.AMOUNT_TOO_LARGE),
                arguments("a:9223372036854775808|c|@0.5", Rejection.AMOUNT_TOO_LARGE),
                arguments("a:4503599627370497|c|@0.5", Rejection.AMOUNT_TOO_LARGE),
                arguments("a:1|c|@1E-16", Rejection.AMOUNT_TOO_LARGE),
                arguments("a:1|c|@1E-999999999", Rejection.AMOUNT_TOO_LARGE),
                // lengths
                arguments("x".repeat(1025), Rejection.LINE_TOO_LONG),
                arguments("x".repeat(1024), Rejection.UNKNOWN_VERB),
                arguments("x".repeat(1024) + "\r\n", Rejection.UNKNOWN_VERB),
                arguments("increment a" + " ".repeat(1014), Rejection.LINE_TOO_LONG),
                arguments("a:1|c|#k:" + "v".repeat(1015), Rejection.NAME_TOO_LONG),
                arguments("a:1|c|#k:" + "v".repeat(1016), Rejection.LINE_TOO_LONG));
    }

    @Test
    void every_byte_that_is_not_allowed_in_a_name_is_rejected_at_every_position() {
        for (int b = 0; b < 256; b++) {
            char c = (char) b;
            if (letters().indexOf(c) >= 0 || c == '\n' || c == ',' || c == ' ') {
                continue;
            }

            assertThat(RecordedCommands.datagram("increment a" + c + "b"))
                    .as("byte %d in a metric", b)
                    .containsExactly("NAME_LETTER <increment a" + c + "b>");
            assertThat(RecordedCommands.datagram("increment a,k=v" + c + "b"))
                    .as("byte %d in a value", b)
                    .containsExactly("NAME_LETTER <increment a,k=v" + c + "b>");
            if (c != '=') {
                assertThat(RecordedCommands.datagram("increment a,k" + c + "b=v"))
                        .as("byte %d in a key", b)
                        .containsExactly("NAME_LETTER <increment a,k" + c + "b=v>");
            }
        }
    }

    @ParameterizedTest
    @MethodSource
    void a_from_line_needs_sender_age_and_seq(String line, boolean good) {
        String expected = good ? line : "FROM_FORM <" + line + ">";

        List<String> datagram = RecordedCommands.datagram(line);
        List<String> stream = RecordedCommands.stream(line);

        assertThat(datagram).endsWith(expected);
        assertThat(stream).isEqualTo(good ? List.of(expected) : List.of("nobody", expected));
    }

    static Stream<Arguments> a_from_line_needs_sender_age_and_seq() {
        return Stream.of(
                arguments("from " + SENDER + " 61000 58", true),
                arguments("from " + OTHER + " 0 1", true),
                arguments("from " + "s".repeat(16) + " 0 1", true),
                arguments("from " + "s".repeat(64) + " 9223372036854775807 9223372036854775807", true),
                arguments("from " + "s".repeat(15) + " 0 1", false),
                arguments("from " + "s".repeat(65) + " 0 1", false),
                arguments("from " + "s".repeat(16) + ", 0 1", false),
                arguments("from " + "s".repeat(16) + "= 0 1", false),
                arguments("from " + SENDER + " 0 0", false),
                arguments("from " + SENDER + " -1 1", false),
                arguments("from " + SENDER + " 0 -1", false),
                arguments("from " + SENDER + " 9223372036854775808 1", false),
                arguments("from " + SENDER + " 0 9223372036854775808", false),
                arguments("from " + SENDER + " 0 1 2", false),
                arguments("from " + SENDER + " 0 1 ", false),
                arguments("from " + SENDER + "  0 1", false),
                arguments("from " + SENDER + " 0", false),
                arguments("from " + SENDER + " ", false),
                arguments("from " + SENDER, false),
                arguments("from ", false),
                arguments("from  0 1", false),
                arguments("from - ", false),
                arguments("from -1", false));
    }

    @ParameterizedTest
    @MethodSource
    void a_from_line_of_a_fleet_is_rejected_unless_the_commands_accept_it(String line, @Nullable String accepted) {
        RecordedCommands fleet = new RecordedCommands();
        fleet.acceptsAnnounced = true;
        byte[] bytes = (line + "\n").getBytes(ISO_8859_1);

        new CommandReader(fleet).lines(bytes, 0, bytes.length);

        List<String> rejected = List.of("nobody", "FROM_FORM <" + line + ">");
        assertThat(fleet.seen).isEqualTo(accepted == null ? rejected : List.of(accepted));
        assertThat(RecordedCommands.stream(line)).isEqualTo(rejected);
    }

    static Stream<Arguments> a_from_line_of_a_fleet_is_rejected_unless_the_commands_accept_it() {
        return Stream.of(
                arguments("from " + SENDER + " 61000", "announced " + SENDER + " 61000 0 to 0"),
                arguments("from " + SENDER + " 0 7-9", "announced " + SENDER + " 0 7 to 9"),
                arguments("from " + SENDER + " 0 7-7", "announced " + SENDER + " 0 7 to 7"),
                arguments("from " + SENDER + " 0 7 9", "among " + SENDER + " 0 7 to 9"),
                arguments("from " + SENDER + " 0 7 7", "among " + SENDER + " 0 7 to 7"),
                arguments("from " + SENDER + " 0 9-7", null),
                arguments("from " + SENDER + " 0 9 7", null),
                arguments("from " + SENDER + " 0 0 7", null),
                arguments("from " + SENDER + " 0 7 ", null),
                arguments("from " + SENDER + " 0  7", null),
                arguments("from " + SENDER + " 0 7 8 9", null),
                arguments("from " + SENDER + " 0 7 8-9", null),
                arguments("from " + SENDER + " 0 0-7", null),
                arguments("from " + SENDER + " 0 7-", null),
                arguments("from " + SENDER + " 0 -7", null),
                arguments("from " + SENDER + " 0 7-8-9", null),
                arguments("from " + SENDER + " 0 7-9 ", null),
                arguments("from " + SENDER + " 0 0", null),
                arguments("from " + SENDER + " 0 ", null),
                arguments("from " + SENDER + " -1", null),
                arguments("from " + SENDER + " ", null),
                arguments("from " + SENDER, null),
                arguments("from short 0", null));
    }

    @Test
    void a_from_line_at_the_beginning_of_a_datagram_applies_to_the_lines_after_it() {
        List<String> seen = RecordedCommands.datagram(
                "from " + SENDER + " 61000 58\nincrement orders.placed 3 1207\r\n\ncarts:4|c");

        assertThat(seen)
                .containsExactly("from " + SENDER + " 61000 58", "INCREMENT orders.placed 3 1207", "INCREMENT carts 4");
    }

    @Test
    void a_later_from_line_in_a_datagram_is_rejected_and_the_lines_after_it_belong_to_no_stream() {
        String late = "from " + OTHER + " 1 2";

        List<String> seen =
                RecordedCommands.datagram("from " + SENDER + " 0 1\nincrement a 1 1\n" + late + "\nincrement a 1 900");

        assertThat(seen)
                .containsExactly(
                        "from " + SENDER + " 0 1",
                        "INCREMENT a 1 1",
                        "nobody",
                        "FROM_PLACE <" + late + ">",
                        "INCREMENT a 1 900");
    }

    @Test
    void a_from_line_after_a_command_or_an_empty_line_of_a_datagram_is_rejected() {
        String from = "from " + SENDER + " 0 1";

        assertThat(RecordedCommands.datagram("increment a\n" + from))
                .containsExactly("INCREMENT a 1", "nobody", "FROM_PLACE <" + from + ">");
        assertThat(RecordedCommands.datagram("\n" + from)).containsExactly("nobody", "FROM_PLACE <" + from + ">");
    }

    @Test
    void a_from_dash_line_in_a_datagram_is_rejected() {
        assertThat(RecordedCommands.datagram("from -\nincrement a"))
                .containsExactly("nobody", "FROM_FORM <from ->", "INCREMENT a 1");
    }

    @Test
    void a_from_line_on_a_TCP_stream_applies_until_the_next_one_or_a_from_dash_line() {
        List<String> seen = RecordedCommands.stream(
                "from " + SENDER + " 0 1\n",
                "increment a 1 1\r\n",
                "from " + OTHER + " 5 2\n",
                "increment a 2 2\n",
                "from -\r\n",
                "increment a");

        assertThat(seen)
                .containsExactly(
                        "from " + SENDER + " 0 1",
                        "INCREMENT a 1 1",
                        "from " + OTHER + " 5 2",
                        "INCREMENT a 2 2",
                        "nobody",
                        "INCREMENT a 1");
    }

    @Test
    void a_malformed_from_line_ends_the_stream_before_it() {
        String tooLong = "from " + "s".repeat(1100) + " 0 1";

        List<String> seen = RecordedCommands.stream(
                "from " + SENDER + " 0 1", "from short 0 1", "increment a 1 1", "from " + SENDER + " 0 2", tooLong);

        assertThat(seen)
                .containsExactly(
                        "from " + SENDER + " 0 1",
                        "nobody",
                        "FROM_FORM <from short 0 1>",
                        "INCREMENT a 1 1",
                        "from " + SENDER + " 0 2",
                        "nobody",
                        "LINE_TOO_LONG <" + tooLong + ">");
    }

    @Test
    void a_signed_line_before_the_from_line_is_accepted() {
        String signed = "signed key-1 1700000000000 " + MAC;

        List<String> seen = RecordedCommands.datagram(signed + "\nfrom " + SENDER + " 0 1\nincrement a 1 1");

        assertThat(seen).containsExactly("from " + SENDER + " 0 1", "INCREMENT a 1 1");
    }

    @ParameterizedTest
    @MethodSource
    void a_malformed_signed_line_is_rejected(String line, Rejection why) {
        assertThat(RecordedCommands.datagram(line + "\nincrement a"))
                .containsExactly(why + " <" + line + ">", "INCREMENT a 1");
    }

    static Stream<Arguments> a_malformed_signed_line_is_rejected() {
        return Stream.of(
                arguments("signed ", Rejection.SIGNED_FORM),
                arguments("signed key", Rejection.SIGNED_FORM),
                arguments("signed key 1", Rejection.SIGNED_FORM),
                arguments("signed key 1 ", Rejection.SIGNED_FORM),
                arguments("signed  1 " + MAC, Rejection.SIGNED_FORM),
                arguments("signed key  " + MAC, Rejection.SIGNED_FORM),
                arguments("signed key x " + MAC, Rejection.SIGNED_FORM),
                arguments("signed key -1 " + MAC, Rejection.SIGNED_FORM),
                arguments("signed key 1 " + MAC.substring(1), Rejection.SIGNED_FORM),
                arguments("signed key 1 " + MAC + "0", Rejection.SIGNED_FORM),
                arguments("signed key 1 " + MAC.replace('a', 'A'), Rejection.SIGNED_FORM),
                arguments("signed key 1 " + MAC.replace('a', 'g'), Rejection.SIGNED_FORM),
                arguments("signed k@y 1 " + MAC, Rejection.SIGNED_FORM),
                arguments("signed " + "k".repeat(33) + " 1 " + MAC, Rejection.SIGNED_FORM),
                arguments("signed " + "k".repeat(1024) + " 1 " + MAC, Rejection.LINE_TOO_LONG),
                arguments("signed", Rejection.UNKNOWN_VERB));
    }

    @Test
    void a_signed_line_at_any_other_place_is_rejected() {
        String signed = "signed key-1 1700000000000 " + MAC;

        assertThat(RecordedCommands.datagram("increment a\n" + signed))
                .containsExactly("INCREMENT a 1", "SIGNED_PLACE <" + signed + ">");
        assertThat(RecordedCommands.datagram(signed + "\n" + signed)).containsExactly("SIGNED_PLACE <" + signed + ">");
        assertThat(RecordedCommands.stream(signed)).containsExactly("SIGNED_PLACE <" + signed + ">");
    }

    /** Earlier collectors sent each other peer lines. */
    @Test
    void a_peer_line_is_rejected_and_the_lines_below_still_belong_to_their_stream() {
        String from = "from " + SENDER + " 0 1";

        assertThat(RecordedCommands.datagram("peer relay")).containsExactly("UNKNOWN_VERB <peer relay>");
        assertThat(RecordedCommands.datagram(from + "\npeer whole 3 00000001 a:1 4\nincrement a 4 4"))
                .containsExactly(from, "STATSD_FORM <peer whole 3 00000001 a:1 4>", "INCREMENT a 4 4");
    }

    @Test
    void an_invalid_line_does_not_affect_the_lines_around_it() {
        List<String> seen = RecordedCommands.datagram(
                "increment a\nincrement ü\nb:2|c\nb:2|g\n" + "x".repeat(2000) + "\ndecrement c 3\n\0\0\n\0x\0\n");

        assertThat(seen)
                .containsExactly(
                        "INCREMENT a 1",
                        "NAME_LETTER <increment ü>",
                        "INCREMENT b 2",
                        "STATSD_TYPE <b:2|g>",
                        "LINE_TOO_LONG <" + "x".repeat(2000) + ">",
                        "DECREMENT c 3",
                        "UNKNOWN_VERB <\0x\0>");
    }

    @ParameterizedTest
    @MethodSource
    void empty_lines_are_ignored(String text) {
        assertThat(RecordedCommands.datagram(text)).isEmpty();
        assertThat(RecordedCommands.stream(text)).isEmpty();
    }

    static Stream<String> empty_lines_are_ignored() {
        return Stream.of("", "\n", "\r\n", "\r", " ", "\0", "\0\n", " \t\0 \r\n");
    }

    @Test
    void only_the_bytes_between_begin_and_end_are_read() {
        byte[] bytes = "increment a 12\nincrement b 34".getBytes(ISO_8859_1);
        RecordedCommands recorded = new RecordedCommands();

        new CommandReader(recorded).datagram(bytes, 15, 26);
        new CommandReader(recorded).line(bytes, 0, 13);

        assertThat(recorded.seen).containsExactly("nobody", "INCREMENT b 1", "INCREMENT a 1");
    }

    @Test
    void the_longest_udp_datagram_is_read_completely() {
        byte[] bytes = "a:1|c\n".repeat(65_507 / 6).getBytes(ISO_8859_1);

        assertThat(RecordedCommands.datagram(bytes)).hasSize(65_507 / 6).containsOnly("INCREMENT a 1");
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void any_bytes_are_read_to_their_end_and_each_line_is_handed_over_once(int seed) {
        Random random = new Random(seed);
        byte[] bytes = random.nextInt(4) == 0 ? noise(random) : mutated(random);

        int lines = 0;
        RecordedCommands fromStream = new RecordedCommands();
        CommandReader streamReader = new CommandReader(fromStream);
        for (int at = 0; at < bytes.length; ) {
            int end = at;
            while (end < bytes.length && bytes[end] != '\n') {
                end++;
            }
            boolean empty = isBlank(bytes, at, end);
            int before = handled(fromStream.seen);
            streamReader.line(bytes, at, Math.min(end + 1, bytes.length));
            assertThat(handled(fromStream.seen) - before).isEqualTo(empty ? 0 : 1);
            lines += empty ? 0 : 1;
            at = end + 1;
        }
        List<String> seen = RecordedCommands.datagram(bytes);
        List<String> cleaned = RecordedCommands.cleanedDatagram(bytes);
        assertThat(handled(cleaned)).as("cleaned").isEqualTo(handled(seen));
        int accepted = acceptedSignature(bytes) ? 1 : 0;

        assertThat(handled(seen) + accepted).isEqualTo(lines);
    }

    /** The reader has a separate fast path for plain lines; {@link CommandReader#line} does not use it. */
    @ParameterizedTest
    @MethodSource("seedsOfManyLines")
    void a_line_on_the_fast_path_has_the_same_result_as_on_the_full_path(int seed) {
        Random random = new Random(seed);
        List<String> parts = List.of(
                "increment ",
                "increment ",
                "decrement ",
                "orders.placed",
                "a",
                ",k=v",
                ",b=1,a=2",
                ":",
                "|c",
                "|c",
                "|@0.1",
                "|#x:y",
                " ",
                " ",
                "1",
                "07",
                "999999999999999",
                "9007199254740993",
                "-",
                "\r",
                "\u00fc");
        for (int i = 0; i < 300; i++) {
            StringBuilder line = new StringBuilder();
            for (int left = 1 + random.nextInt(7); left > 0; left--) {
                line.append(parts.get(random.nextInt(parts.size())));
            }
            line.append(random.nextInt(50) == 0 ? "x".repeat(250) + ":1|c" : "");
            List<String> expected = RecordedCommands.stream(line + "\n");
            RecordedCommands recorded = new RecordedCommands();
            byte[] between = ("increment before\n" + line + "\nincrement after 3 5\n").getBytes(ISO_8859_1);

            new CommandReader(recorded).lines(between, 0, between.length);

            assertThat(recorded.seen.remove(0)).isEqualTo("INCREMENT before 1");
            assertThat(recorded.seen.remove(recorded.seen.size() - 1)).isEqualTo("INCREMENT after 3 5");
            assertThat(recorded.seen).as("%s", line).isEqualTo(expected);
            assertThat(RecordedCommands.datagram(line.toString()))
                    .as("%s, alone", line)
                    .isEqualTo(expected);
        }
    }

    /** The number of accepted and rejected lines. "nobody" is not a line of its own if it accompanies a rejection. */
    private static int handled(List<String> seen) {
        int handled = 0;
        for (int i = 0; i < seen.size(); i++) {
            boolean companion = seen.get(i).equals("nobody")
                    && i + 1 < seen.size()
                    && (seen.get(i + 1).startsWith("FROM_") || seen.get(i + 1).startsWith("LINE_TOO_LONG <from "));
            handled += companion ? 0 : 1;
        }
        return handled;
    }

    private static boolean isBlank(byte[] bytes, int begin, int end) {
        for (int i = begin; i < end; i++) {
            if (" \t\r\0".indexOf(bytes[i]) < 0) {
                return false;
            }
        }
        return true;
    }

    private static boolean acceptedSignature(byte[] bytes) {
        String first = new String(bytes, ISO_8859_1).split("\n", 2)[0];
        return first.matches("signed [A-Za-z0-9._/-]{1,32} [0-9]{1,18} [0-9a-f]{32}\r?");
    }

    private static byte[] noise(Random random) {
        byte[] bytes = new byte[random.nextInt(300)];
        random.nextBytes(bytes);
        for (int i = 0; i < bytes.length; i++) {
            if (random.nextInt(20) == 0) {
                bytes[i] = (byte) " \n\r:|#@,=-".charAt(random.nextInt(10));
            }
        }
        return bytes;
    }

    private static byte[] mutated(Random random) {
        List<String> samples = new ArrayList<>(List.of(
                "signed key-1 1700000000000 " + MAC,
                "from " + SENDER + " 61000 58",
                "from -",
                "increment orders.placed 3 1207",
                "decrement carts,b=1,a=2 9007199254740992 9223372036854775807",
                "carts:4|c|@0.1|#x:1,y:2|c:in|T1",
                "carts:-4|c|@1E-3",
                "",
                "x".repeat(random.nextInt(2000))));
        StringBuilder text = new StringBuilder();
        for (int i = random.nextInt(12); i >= 0; i--) {
            text.append(samples.get(random.nextInt(samples.size()))).append(random.nextInt(4) == 0 ? "\r\n" : "\n");
        }
        byte[] bytes = text.toString().getBytes(ISO_8859_1);
        for (int i = random.nextInt(10); i > 0 && bytes.length > 0; i--) {
            int at = random.nextInt(bytes.length);
            switch (random.nextInt(3)) {
                case 0 -> bytes[at] = (byte) random.nextInt(256);
                case 1 -> bytes[at] = (byte) " \n\r:|#@,=-0".charAt(random.nextInt(11));
                default -> bytes = Arrays.copyOf(bytes, at);
            }
        }
        return bytes;
    }

    static IntStream seeds() {
        return IntStream.range(0, 2_000);
    }

    static IntStream seedsOfManyLines() {
        return IntStream.range(0, 200);
    }

    private static String letters() {
        return "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_./";
    }
}
