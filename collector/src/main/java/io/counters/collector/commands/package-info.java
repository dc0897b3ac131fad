/**
 * The commands of {@code collector.jar} for people and scripts: {@code get}, {@code top}, {@code tap}, {@code rm}, {@code
 * record} and {@code replay}. They ask a running collector by HTTP, through {@link
 * io.counters.collector.commands.CollectorApi}; none of them opens a collector's files. {@code replay} sends datagrams.
 */
@NullMarked
package io.counters.collector.commands;

import org.jspecify.annotations.NullMarked;
