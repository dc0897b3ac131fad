/**
 * What the agent is asked to do: read once at the start, from agent arguments over system properties over the
 * environment over a file over defaults.
 *
 * <p>A mistake is a line with place, value, rule and remedy, and costs its own setting only. Nothing here logs, exits
 * or throws: {@link io.counters.agent.settings.Settings} carries its complaints with it. Entered by {@code Agent};
 * {@code weave} takes the rules as {@link io.counters.agent.settings.Setting}s.
 */
package io.counters.agent.settings;
