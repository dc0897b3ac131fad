/** What the tests of several modules need: ports, signals, and limits of waits. Main code never uses it. */
@NullMarked
package io.counters.testsupport;

import org.jspecify.annotations.NullMarked;
