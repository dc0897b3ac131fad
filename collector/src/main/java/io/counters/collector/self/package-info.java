/**
 * The program's own counters and its log of faults: the only types that every room may use. Uses no room.
 */
@NullMarked
package io.counters.collector.self;

import org.jspecify.annotations.NullMarked;
