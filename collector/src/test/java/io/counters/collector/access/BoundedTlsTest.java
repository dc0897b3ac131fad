package io.counters.collector.access;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.DecoderException;
import java.util.HexFormat;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import org.junit.jupiter.api.Test;

/** What TLS refuses, in a channel without a network. */
class BoundedTlsTest {
    private static ByteBuf bytes(String hex) {
        return Unpooled.wrappedBuffer(HexFormat.of().parseHex(hex));
    }

    @Test
    void a_client_that_goes_on_after_it_was_refused_fails_only_once() throws Exception {
        SSLEngine engine = SSLContext.getDefault().createSSLEngine();
        engine.setUseClientMode(false);
        EmbeddedChannel channel = new EmbeddedChannel(new BoundedTls(engine));

        assertThatThrownBy(() -> channel.writeInbound(bytes("474554202f")))
                .isInstanceOf(DecoderException.class)
                .hasCauseInstanceOf(SSLException.class);
        ByteBuf more = bytes("474554202f");
        channel.writeInbound(more);

        assertThat(more.refCnt()).isZero();
        channel.finishAndReleaseAll();
    }
}
