/**
 * The commands of {@code collector.jar} for people and scripts: {@code get}, {@code top}, {@code tap}, {@code rm}, {@code
 * record}, {@code replay} and {@code import}. {@code replay} sends datagrams, and {@code import} is {@code fleet}'s; the
 * others use the HTTP API of a running collector, through {@link io.counters.collector.commands.CollectorApi}.
 *
 * <p>Internal: any release may change it.
 */
@NullMarked
package io.counters.collector.commands;

import org.jspecify.annotations.NullMarked;
