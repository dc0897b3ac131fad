/**
 * The commands of {@code collector.jar} for people and scripts: {@code get}, {@code top}, {@code tap}, {@code rm}, {@code
 * record} and {@code replay}. {@code replay} sends datagrams; the others use the HTTP API of a running collector, through
 * {@link io.counters.collector.commands.CollectorApi}. None of them opens a collector's files.
 */
@NullMarked
package io.counters.collector.commands;

import org.jspecify.annotations.NullMarked;
