/**
 * Spring Boot's auto-configuration of counters: sending, {@code @Count} on beans by an aspect, the Micrometer registry, and
 * {@code /actuator/counters}. Spring creates everything here; an application has only the starter among its dependencies.
 *
 * <p>The jar works with Boot 3 and 4, so it uses only what both have, and names their auto-configurations, whose packages
 * differ, as text. The agent counts more than an aspect can, so where it is present, this package neither counts by
 * annotation nor sends.
 *
 * <p>Internal: any release may change it.
 */
@NullMarked
package io.counters.spring;

import org.jspecify.annotations.NullMarked;
