/**
 * Settings: from flags, the environment, an INI file and defaults, in this order. All mistakes are found at once, each
 * with place, value, rule and remedy. The rooms' own records read from here; this room knows none of them.
 */
@NullMarked
package io.counters.collector.settings;

import org.jspecify.annotations.NullMarked;
