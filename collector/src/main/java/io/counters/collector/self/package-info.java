/**
 * What a program needs to run as one: its own counters, its log of faults, with examples of what strangers sent
 * that was not taken, and the stream that it goes to, its threads, which
 * end the process when they fail, and a hash for keys that strangers choose. Every room may use it; it uses no room.
 */
@NullMarked
package io.counters.collector.self;

import org.jspecify.annotations.NullMarked;
