/**
 * The sockets that datagrams come in by, UDP's and the Unix socket, and what becomes of a socket that fails: the collector's
 * and the proxy's. Any room may use them; they know nothing of what is in the datagrams.
 *
 * <p>How they are received was chosen by measuring, with {@code bin/bench layers}: CPU seconds per million lines of a
 * process that counts lines and does nothing else, medians of three turns at full speed, two cores of an AMD EPYC, Linux
 * 6.18, JDK 17.
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
 * <p>Here the sender's side is the dearer one, so that the receiver seldom finds many datagrams waiting: a system call
 * for many at once saves little. {@code receive} and Netty make an address of each sender besides, 128 bytes of garbage a
 * datagram where senders alternate.
 *
 * <p>What is used is the first way with one difference: it waits in {@code recvfrom}, which writes the sender's address
 * into memory of ours, so that faults can name who caused them, and new streams can be limited by address. Nothing is
 * made of it until somebody asks. Against {@code recv}, in turns within one process on a busy machine of that kind, 200
 * datagrams a turn: 40 to 80 ns more of CPU a datagram of 20 bytes, of some 2,000, on JDK 17, and 55 to 75 on 25, most of
 * it the kernel's; {@code DatagramChannel.receive} takes 400 to 600 more where 32 senders alternate.
 */
@NullMarked
package io.counters.collector.udp;

import org.jspecify.annotations.NullMarked;
