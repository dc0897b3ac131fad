/**
 * Counts lines that are sent by HTTP: {@code POST /count}, for programs that cannot send datagrams, such as functions in a cloud,
 * scripts and cron jobs. A body is read as a datagram is, and answered when its lines are kept. With a key of its own, a request
 * counts once, however often it is sent.
 *
 * <p>The port is open to strangers: a body has a bound, and one request at a time is read.
 *
 * <p>Internal: any release may change it.
 */
@NullMarked
package io.counters.collector.post;

import org.jspecify.annotations.NullMarked;
