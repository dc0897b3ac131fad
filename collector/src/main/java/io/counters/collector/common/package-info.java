/**
 * Parts that every program needs: its metrics; its log of faults, with examples of rejected lines, and the stream for it;
 * its threads, which end the process when they fail; and a hash for keys that strangers choose. Every package may use this
 * one; it uses none of them.
 *
 * <p>Internal: any release may change it.
 */
@NullMarked
package io.counters.collector.common;

import org.jspecify.annotations.NullMarked;
