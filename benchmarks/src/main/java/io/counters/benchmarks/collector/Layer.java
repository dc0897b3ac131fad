package io.counters.benchmarks.collector;

import io.counters.collector.udp.UdpSocket;
import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.FixedRecvByteBufAllocator;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollChannelOption;
import io.netty.channel.epoll.EpollDatagramChannel;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.socket.DatagramPacket;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.util.List;

/**
 * The ways in which a Java program can receive datagrams. Each copies them into an array, because a reader of lines
 * needs one, and requests the same receive buffer as the collector.
 */
enum Layer {
    COLLECTOR("the collector's own: one thread that waits in receive") {
        @Override
        Open open() throws IOException {
            UdpSocket socket = new UdpSocket(anyPort());
            ByteBuffer buffer = ByteBuffer.allocateDirect(DATAGRAM_BYTES_MAX);
            byte[] bytes = new byte[DATAGRAM_BYTES_MAX];
            Tally all = start(tally -> {
                while (true) {
                    int length = socket.receive(buffer.clear());
                    buffer.get(0, bytes, 0, length);
                    tally.add(bytes, length);
                    tally.show();
                }
            });
            return new Open(socket.address().getPort(), List.of(all));
        }
    },
    SELECT("NIO: one thread, a selector, and receive until there is none") {
        @Override
        Open open() throws IOException {
            DatagramChannel channel = bound(anyPort());
            Selector selector = Selector.open();
            channel.configureBlocking(false).register(selector, SelectionKey.OP_READ);
            ByteBuffer buffer = ByteBuffer.allocate(DATAGRAM_BYTES_MAX);
            Tally all = start(tally -> {
                while (true) {
                    selector.select(ready -> {
                        try {
                            for (int i = 0; i < ROUND_MAX && channel.receive(buffer.clear()) != null; i++) {
                                tally.add(buffer.array(), buffer.position());
                            }
                        } catch (IOException failure) {
                            throw new UncheckedIOException(failure);
                        }
                    });
                    tally.show();
                }
            });
            return new Open(port(channel), List.of(all));
        }
    },
    SOCKET("java.net.DatagramSocket: one thread that waits in receive") {
        @Override
        Open open() throws IOException {
            DatagramSocket socket = bound(anyPort()).socket();
            byte[] bytes = new byte[DATAGRAM_BYTES_MAX];
            java.net.DatagramPacket packet = new java.net.DatagramPacket(bytes, bytes.length);
            Tally all = start(tally -> {
                while (true) {
                    packet.setLength(bytes.length);
                    socket.receive(packet);
                    tally.add(bytes, packet.getLength());
                    tally.show();
                }
            });
            return new Open(socket.getLocalPort(), List.of(all));
        }
    },
    REUSEPORT("NIO: two sockets with SO_REUSEPORT, each with a thread that waits in receive") {
        @Override
        Open open() throws IOException {
            DatagramChannel one = bound(anyPort());
            DatagramChannel other = bound((InetSocketAddress) one.getLocalAddress());
            return new Open(
                    port(one), List.of(start(tally -> receive(one, tally)), start(tally -> receive(other, tally))));
        }
    },
    NETTY("Netty's native epoll with recvmmsg of 64") {
        @Override
        Open open() {
            Epoll.ensureAvailability();
            Tally tally = new Tally();
            Channel channel = new Bootstrap()
                    .group(new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory()))
                    .channel(EpollDatagramChannel.class)
                    .option(ChannelOption.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
                    .option(EpollChannelOption.MAX_DATAGRAM_PAYLOAD_SIZE, SLOT_BYTES)
                    .option(ChannelOption.RECVBUF_ALLOCATOR, new FixedRecvByteBufAllocator(SLOTS * SLOT_BYTES))
                    .handler(new Counting(tally))
                    .bind(anyPort())
                    .syncUninterruptibly()
                    .channel();
            return new Open(((InetSocketAddress) channel.localAddress()).getPort(), List.of(tally));
        }
    };

    static final int RECEIVE_BUFFER_BYTES = 16 * 1024 * 1024;
    private static final int DATAGRAM_BYTES_MAX = UdpSocket.DATAGRAM_BYTES_MAX;
    private static final int ROUND_MAX = 1000;
    private static final int SLOTS = 64;
    private static final int SLOT_BYTES = 2048;

    private final String what;

    Layer(String what) {
        this.what = what;
    }

    /** The description of the way. */
    String what() {
        return what;
    }

    /** The port that receives datagrams from now on, and the tallies that count them. */
    record Open(int port, List<Tally> tallies) {}

    /** Starts to receive on a free port of this machine, until the program ends. */
    abstract Open open() throws IOException;

    private static InetSocketAddress anyPort() {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    }

    private static int port(DatagramChannel channel) throws IOException {
        return ((InetSocketAddress) channel.getLocalAddress()).getPort();
    }

    private static DatagramChannel bound(InetSocketAddress address) throws IOException {
        DatagramChannel channel = DatagramChannel.open(StandardProtocolFamily.INET);
        channel.setOption(StandardSocketOptions.SO_RCVBUF, RECEIVE_BUFFER_BYTES);
        channel.setOption(StandardSocketOptions.SO_REUSEPORT, true);
        return channel.bind(address);
    }

    /** Receives forever. */
    @FunctionalInterface
    private interface Loop {
        void run(Tally tally) throws IOException;
    }

    private static Tally start(Loop loop) {
        Tally tally = new Tally();
        Thread thread = new Thread(
                () -> {
                    try {
                        loop.run(tally);
                    } catch (IOException failure) {
                        throw new UncheckedIOException(failure);
                    }
                },
                "receive");
        thread.setDaemon(true);
        thread.start();
        return tally;
    }

    private static void receive(DatagramChannel channel, Tally tally) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocateDirect(DATAGRAM_BYTES_MAX);
        byte[] bytes = new byte[DATAGRAM_BYTES_MAX];
        while (true) {
            channel.receive(buffer.clear());
            buffer.get(0, bytes, 0, buffer.position());
            tally.add(bytes, buffer.position());
            tally.show();
        }
    }

    private static final class Counting extends ChannelInboundHandlerAdapter {
        private final Tally tally;
        private final byte[] bytes = new byte[SLOT_BYTES];

        private Counting(Tally tally) {
            this.tally = tally;
        }

        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            ByteBuf content = ((DatagramPacket) message).content();
            int length = content.readableBytes();
            content.readBytes(bytes, 0, length);
            content.release();
            tally.add(bytes, length);
        }

        @Override
        public void channelReadComplete(ChannelHandlerContext context) {
            tally.show();
        }
    }
}
