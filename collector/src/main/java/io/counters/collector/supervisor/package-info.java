/**
 * The program that started this one and restarts it: systemd. Takes the socket that it holds, and tells it how this program
 * does. Knows nothing about counts; the assembly classes call it.
 *
 * <p>Internal: any release may change it.
 */
@NullMarked
package io.counters.collector.supervisor;

import org.jspecify.annotations.NullMarked;
