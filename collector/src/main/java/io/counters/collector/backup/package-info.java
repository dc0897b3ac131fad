/**
 * {@code backup} and {@code restore}: copies of a collector's data folder, made while it runs and counts, checked, and put in
 * the place of what was lost. Uses {@code ledger} and {@code history} for their own files and {@code commands} for the shell;
 * only the command line enters. Opens no socket and starts no thread.
 *
 * <p>Internal: any release may change it.
 */
@NullMarked
package io.counters.collector.backup;

import org.jspecify.annotations.NullMarked;
