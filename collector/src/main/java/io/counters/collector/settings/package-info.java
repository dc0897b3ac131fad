/**
 * Settings: from flags, the environment, an INI file and defaults, in this order. All errors are reported at once, each
 * with place, value, rule and remedy. The other packages' records read their values from here; this package uses no other
 * package, except {@code wire} for the words that a mistake resembles.
 *
 * <p>Internal: any release may change it.
 */
@NullMarked
package io.counters.collector.settings;

import org.jspecify.annotations.NullMarked;
