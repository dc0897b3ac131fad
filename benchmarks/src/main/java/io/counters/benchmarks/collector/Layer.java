package io.counters.benchmarks.collector;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
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
import java.io.FileDescriptor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.Constructor;
import java.lang.reflect.InaccessibleObjectException;
import java.lang.reflect.Method;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The ways for a Java program to get at datagrams. Each copies them into an array, as a reader of lines wants them. */
enum Layer {
    SELECT("NIO, one thread, selector and receive until there is none") {
        @Override
        List<Tally> open(DatagramChannel channel) throws IOException {
            Selector selector = Selector.open();
            channel.configureBlocking(false).register(selector, SelectionKey.OP_READ);
            ByteBuffer buffer = ByteBuffer.allocate(DATAGRAM_BYTES_MAX);
            return start(tally -> {
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
        }
    },
    RECEIVE("NIO, one thread that waits in receive") {
        @Override
        List<Tally> open(DatagramChannel channel) {
            return start(tally -> receive(channel, tally));
        }
    },
    SOCKET("java.net.DatagramSocket") {
        @Override
        List<Tally> open(DatagramChannel channel) {
            DatagramSocket socket = channel.socket();
            byte[] bytes = new byte[DATAGRAM_BYTES_MAX];
            java.net.DatagramPacket packet = new java.net.DatagramPacket(bytes, bytes.length);
            return start(tally -> {
                while (true) {
                    packet.setLength(bytes.length);
                    socket.receive(packet);
                    tally.add(bytes, packet.getLength());
                    tally.show();
                }
            });
        }
    },
    REUSEPORT("NIO, two sockets with SO_REUSEPORT, a thread each that waits in receive") {
        @Override
        List<Tally> open(DatagramChannel channel) throws IOException {
            DatagramChannel second = bound((InetSocketAddress) channel.getLocalAddress());
            List<Tally> both = new ArrayList<>(start(tally -> receive(channel, tally)));
            both.addAll(start(tally -> receive(second, tally)));
            return both;
        }
    },
    RECV("the JDK's own recv, which makes no address; by --add-opens") {
        @Override
        List<Tally> open(DatagramChannel channel) throws IOException {
            MethodHandle recv = recv(channel);
            if (recv == null) {
                return List.of();
            }
            ByteBuffer buffer = ByteBuffer.allocateDirect(DATAGRAM_BYTES_MAX);
            byte[] bytes = new byte[DATAGRAM_BYTES_MAX];
            return start(tally -> {
                while (true) {
                    buffer.clear();
                    int length = read(recv, buffer);
                    if (length >= 0) {
                        buffer.get(0, bytes, 0, length);
                        tally.add(bytes, length);
                        tally.show();
                    }
                }
            });
        }
    },
    NETTY("Netty's native epoll, recvmmsg of 64") {
        @Override
        List<Tally> open(DatagramChannel channel) throws IOException {
            if (!Epoll.isAvailable()) {
                return List.of();
            }
            InetSocketAddress here = (InetSocketAddress) channel.getLocalAddress();
            channel.close();
            Tally tally = new Tally();
            new Bootstrap()
                    .group(new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory()))
                    .channel(EpollDatagramChannel.class)
                    .option(ChannelOption.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
                    .option(EpollChannelOption.MAX_DATAGRAM_PAYLOAD_SIZE, SLOT_BYTES)
                    .option(ChannelOption.RECVBUF_ALLOCATOR, new FixedRecvByteBufAllocator(SLOTS * SLOT_BYTES))
                    .handler(new Counting(tally))
                    .bind(here)
                    .syncUninterruptibly();
            return List.of(tally);
        }
    },
    RECVMMSG("recvmmsg of 64 by java.lang.foreign, JDK 22 or newer") {
        @Override
        List<Tally> open(DatagramChannel channel) {
            ByteBuffer memory = ByteBuffer.allocateDirect(SLOTS * SLOT_BYTES);
            Optional<Batches> batches = Batches.receiving(channel, memory, SLOTS);
            byte[] bytes = new byte[SLOT_BYTES];
            return batches.map(from -> start(tally -> {
                        while (true) {
                            int count = from.receive();
                            for (int i = 0; i < count; i++) {
                                memory.get(i * SLOT_BYTES, bytes, 0, from.length(i));
                                tally.add(bytes, from.length(i));
                            }
                            tally.show();
                        }
                    }))
                    .orElse(List.of());
        }
    };

    /** As the collector asks; udpsink leaves the kernel's default, 208 KiB as a rule. */
    private static final int RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024;

    private static final int DATAGRAM_BYTES_MAX = 65_536;
    private static final int ROUND_MAX = 1000;
    private static final int SLOTS = 64;
    private static final int SLOT_BYTES = 2048;

    private final String what;

    Layer(String what) {
        this.what = what;
    }

    /** In words. */
    String what() {
        return what;
    }

    /** The leanest of them that this JDK and system have. */
    static Layer leanest() {
        return Runtime.version().feature() >= 22 && Epoll.isAvailable() ? RECVMMSG : RECV;
    }

    /**
     * Receives on this channel from now on.
     *
     * @return where it is counted; empty where the system or the JDK has no such way
     */
    abstract List<Tally> open(DatagramChannel channel) throws IOException;

    /** A channel of this address, that another one may share. */
    static DatagramChannel bound(InetSocketAddress address) throws IOException {
        DatagramChannel channel = DatagramChannel.open(StandardProtocolFamily.INET);
        channel.setOption(StandardSocketOptions.SO_RCVBUF, RECEIVE_BUFFER_BYTES);
        channel.setOption(StandardSocketOptions.SO_REUSEPORT, true);
        return channel.bind(address);
    }

    /** Of this machine only, on a free port. */
    static InetSocketAddress anyPort() {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    }

    /** Receives without end. */
    @FunctionalInterface
    private interface Loop {
        void run(Tally tally) throws IOException;
    }

    private static List<Tally> start(Loop loop) {
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
        return List.of(tally);
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

    /** What the collector's intake receives with. */
    private static @Nullable MethodHandle recv(DatagramChannel channel) {
        try {
            Class<?> dispatchers = Class.forName("sun.nio.ch.NativeDispatcher");
            Constructor<?> dispatcher =
                    Class.forName("sun.nio.ch.DatagramDispatcher").getDeclaredConstructor();
            Method read = Class.forName("sun.nio.ch.IOUtil")
                    .getDeclaredMethod("read", FileDescriptor.class, ByteBuffer.class, long.class, dispatchers);
            Method descriptor = Class.forName("sun.nio.ch.SelChImpl").getMethod("getFD");
            dispatcher.setAccessible(true);
            read.setAccessible(true);
            descriptor.setAccessible(true);
            MethodHandle handle = MethodHandles.lookup().unreflect(read);
            handle = MethodHandles.insertArguments(handle, 2, -1L, dispatcher.newInstance());
            handle = MethodHandles.insertArguments(handle, 0, descriptor.invoke(channel));
            return handle.asType(MethodType.methodType(int.class, ByteBuffer.class));
        } catch (ReflectiveOperationException | InaccessibleObjectException closed) {
            return null;
        }
    }

    private static int read(MethodHandle recv, ByteBuffer buffer) throws IOException {
        try {
            return (int) recv.invokeExact(buffer);
        } catch (IOException | RuntimeException | Error failure) {
            throw failure;
        } catch (Throwable neverDeclared) {
            throw new IOException(neverDeclared);
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
