/**
 * The program's own counters, its log of faults, and a hash for keys that strangers choose: the only types that every room may
 * use. Uses no room.
 */
@NullMarked
package io.counters.collector.self;

import org.jspecify.annotations.NullMarked;
