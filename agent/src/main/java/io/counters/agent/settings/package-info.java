/**
 * The agent's settings. They are read at the start, and the file again when it changes. Agent arguments precede system
 * properties, then environment variables, a file, and the defaults.
 *
 * <p>An error produces one message with place, value, rule and remedy, and affects only its own setting. Nothing here
 * logs, exits or throws: {@link io.counters.agent.settings.Settings} has the list of messages. {@code Agent} reads the
 * settings; {@code weave} gets the rules as {@link io.counters.agent.settings.SettingValue}s.
 *
 * <p>Internal: any release may change it.
 */
package io.counters.agent.settings;
