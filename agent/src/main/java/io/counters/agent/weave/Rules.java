package io.counters.agent.weave;

import io.counters.agent.settings.Setting;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/** The rules of the settings, by the class that they name. Immutable. */
public final class Rules {
    private final Map<String, List<Rule>> byOwner = new HashMap<>();
    private final List<Rule> all = new ArrayList<>();

    private Rules() {}

    /** Reads them all; a bad one is left out, with a line in the log. */
    public static Rules read(List<Setting> settings, Consumer<String> log) {
        Rules rules = new Rules();
        for (Setting setting : settings) {
            try {
                Rule rule = new Rule(setting);
                rules.all.add(rule);
                List<Rule> of = rules.byOwner.get(rule.owner);
                if (of == null) {
                    of = new ArrayList<>();
                    rules.byOwner.put(rule.owner, of);
                }
                of.add(rule);
            } catch (IllegalArgumentException noRule) {
                log.accept(String.valueOf(noRule.getMessage()));
            }
        }
        return rules;
    }

    /** How many there are, without the bad ones. */
    public int size() {
        return all.size();
    }

    /** Those that name this class, whose name has slashes. */
    List<Rule> of(String owner) {
        List<Rule> rules = byOwner.get(owner);
        return rules == null ? Collections.<Rule>emptyList() : rules;
    }

    /** Those that have named nothing so far, as they stand in the settings. */
    List<String> idle() {
        List<String> idle = new ArrayList<>();
        for (Rule rule : all) {
            if (!rule.matched) {
                idle.add(rule.text);
            }
        }
        return idle;
    }
}
