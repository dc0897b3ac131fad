/**
 * The socket that datagrams come in by. Any room may use it; it knows nothing of what is in them.
 *
 * <p>The figures stand below.
 */
@NullMarked
package io.counters.collector.udp;

import org.jspecify.annotations.NullMarked;
