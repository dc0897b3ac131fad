/**
 * The sockets that receive datagrams, for UDP and the Unix socket, and the handling of a socket's failures, for the
 * collector and the proxy. These classes do not read the datagrams' content.
 *
 * <p>The way of receiving was chosen by measurements with {@code bin/bench layers}: CPU seconds per million lines of a
 * process that only counts lines, medians of three runs at full speed, on two cores of an AMD EPYC, Linux 6.18, JDK 17.
 *
 * <pre>
 *                                                        1 line a datagram,            25 lines,
 *                                                        from 2 sources  from 32       from 2
 *   one thread that waits in recv, without an address    1.04            1.07          0.050
 *   one thread that waits in DatagramChannel.receive     1.07            1.10          0.052
 *   one thread, a selector, receive until there is none  1.18            1.27          0.052
 *   one thread that waits in DatagramSocket.receive      1.13            1.17          0.047
 *   two sockets with SO_REUSEPORT, a thread each         1.13            2.31          0.054
 *   Netty's native epoll, recvmmsg of 64                 2.39            1.92          0.086
 *   udpsink, C, recvmmsg of 64                           1.20            1.22          0.045
 * </pre>
 *
 * <p>Sending costs more than receiving here, so the receiver rarely finds many datagrams waiting, and a system call for many
 * at once saves little. {@code receive} and Netty also create an address for each sender, 128 bytes of garbage per datagram
 * if senders alternate.
 *
 * <p>The collector uses the second way: log messages name the sender, and new streams are limited by address. The first way
 * needs a class of the JDK that is not public; it saves 3 to 4 %.
 *
 * <p>Internal: any release may change it.
 */
@NullMarked
package io.counters.collector.udp;

import org.jspecify.annotations.NullMarked;
