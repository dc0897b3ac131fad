package io.counters.collector.udp;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ReceiveTest {
    private static final InetSocketAddress LOOPBACK = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void datagrams_come_whole_and_one_by_one_in_either_way(boolean isLean) throws IOException {
        try (DatagramChannel channel = DatagramChannel.open().bind(LOOPBACK);
                DatagramChannel sender = DatagramChannel.open()) {
            Receive receive = isLean ? new Receive(channel) : new Receive(channel, null);
            ByteBuffer buffer = ByteBuffer.allocateDirect(65_536);
            for (String text : List.of("first", "", "x".repeat(65_507))) {
                sender.send(ByteBuffer.wrap(text.getBytes(ISO_8859_1)), channel.getLocalAddress());

                int length = receive.into(buffer.clear());

                byte[] bytes = new byte[length];
                buffer.get(0, bytes);
                assertThat(new String(bytes, ISO_8859_1)).isEqualTo(text);
            }
            channel.configureBlocking(false);
            assertThat(receive.into(buffer.clear())).isEqualTo(-1);
            assertThat(receive.isLean()).isEqualTo(isLean);
        }
    }
}
