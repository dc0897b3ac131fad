package io.counters.agent.weave;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.counters.agent.settings.SettingValue;
import io.counters.agent.settings.Settings;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The settings that decide which methods count: {@code inherit}, and the rules, grouped by how a class is compared with
 * them. Immutable except for which rules have matched so far. Any thread.
 */
public final class Rules {
    /** Classes that the bridge calls. If they were instrumented, the bridge would call itself endlessly. */
    private static final String[] UNDER_THE_BRIDGE = {
        "java/lang/CountersCells",
        "java/lang/CountersCellSource",
        "java/lang/Class",
        "java/lang/Integer",
        "java/lang/Math",
        "java/lang/Number",
        "java/lang/Object",
        "java/lang/String",
        "java/lang/Thread",
        "java/lang/ThreadLocal",
        "java/lang/ThreadLocal$ThreadLocalMap",
        "java/lang/ThreadLocal$ThreadLocalMap$Entry",
        "java/lang/Throwable",
        "java/lang/VirtualThread",
        "java/lang/invoke/",
        "java/lang/ref/",
        "java/util/IdentityHashMap",
        "java/util/concurrent/ConcurrentHashMap",
        "java/util/concurrent/CopyOnWriteArrayList",
        "java/util/concurrent/atomic/",
        "jdk/internal/",
        "sun/misc/Unsafe"
    };

    private static final Rule[] NONE = {};

    private final List<Rule> all = new ArrayList<>();
    private final Map<String, List<Rule>> exact = new HashMap<>();
    private final Map<String, Rule> metaAnnotations = new HashMap<>();
    private final Set<String> annotations = new HashSet<>();
    private final boolean inherit;
    private final int limit;
    private final Rule[] wild;
    private final Rule[] ofSubtypes;
    private final byte[][] needles;
    private final boolean nameOverriding;
    private final boolean nameSupertypesOfTheJdk;

    private Rules(Settings settings, Consumer<String> log) {
        inherit = settings.inherit();
        limit = settings.ruleLimit();
        for (SettingValue setting : settings.methods()) {
            take(setting, log);
        }
        for (SettingValue setting : settings.metaAnnotations()) {
            Rule rule = take(new SettingValue(setting.place(), "@" + setting.text()), log);
            if (rule != null) {
                metaAnnotations.put(rule.annotation, rule);
            }
        }
        for (SettingValue setting : settings.aliases()) {
            takeAlias(setting, log);
        }
        List<Rule> named = new ArrayList<>();
        List<Rule> subtyped = new ArrayList<>();
        boolean overriding = false;
        boolean jdk = false;
        for (Rule rule : all) {
            if (rule.subtypes) {
                subtyped.add(rule);
                overriding |= !rule.method.isEmpty();
                jdk |= rule.type.startsWith("java/");
            } else if (!rule.annotation.isEmpty()) {
                annotations.add(rule.annotation);
            } else if (!rule.isExact()) {
                named.add(rule);
            }
        }
        wild = named.toArray(NONE);
        ofSubtypes = subtyped.toArray(NONE);
        nameOverriding = overriding;
        nameSupertypesOfTheJdk = jdk;
        List<byte[]> bytes = new ArrayList<>();
        bytes.add(Mark.COUNT.getBytes(UTF_8));
        bytes.add(Mark.COUNTS.getBytes(UTF_8));
        bytes.add(BridgeVisibility.BRIDGE.getBytes(UTF_8));
        for (String annotation : annotations) {
            bytes.add(annotation.getBytes(UTF_8));
        }
        needles = bytes.toArray(new byte[0][]);
    }

    /** Reads all rules. An invalid rule is logged and ignored. */
    public static Rules read(Settings settings, Consumer<String> log) {
        return new Rules(settings, log);
    }

    private @Nullable Rule take(SettingValue setting, Consumer<String> log) {
        try {
            Rule rule = new Rule(setting);
            if (rule.isExact()) {
                for (String under : UNDER_THE_BRIDGE) {
                    if (rule.type.equals(under) || (under.endsWith("/") && rule.type.startsWith(under))) {
                        throw new IllegalArgumentException(setting.place() + ": rule \"" + rule.text
                                + "\" is ignored: counting itself uses this class; count the methods that call it");
                    }
                }
                List<Rule> of = exact.get(rule.type);
                if (of == null) {
                    of = new ArrayList<>();
                    exact.put(rule.type, of);
                }
                of.add(rule);
            }
            all.add(rule);
            return rule;
        } catch (IllegalArgumentException noRule) {
            log.accept(String.valueOf(noRule.getMessage()));
            return null;
        }
    }

    private void takeAlias(SettingValue setting, Consumer<String> log) {
        Alias alias = Alias.of("L" + setting.text().replace('.', '/') + ";");
        Rule rule = alias == null ? null : take(new SettingValue(setting.place(), "@" + setting.text()), log);
        if (rule != null) {
            rule.alias = alias;
        } else {
            log.accept(setting.place() + ": alias " + setting.text()
                    + " is ignored, because the meaning of its attributes is not known; known are "
                    + String.join(", ", Alias.names()) + ". To count its methods under a name, write a rule @"
                    + setting.text() + " = name");
        }
    }

    /** The number of valid rules. */
    public int size() {
        return all.size();
    }

    /** Whether a rule gives exactly this class name, which has slashes. */
    boolean nameExactly(String type) {
        return !exact.isEmpty() && exact.containsKey(type);
    }

    /** Whether a rule with {@code *} matches this class name. */
    boolean nameByPattern(String type) {
        for (Rule rule : wild) {
            if (rule.namesType(type)) {
                return true;
            }
        }
        return false;
    }

    /** Strings of which a class file has one in its constants if its annotations may count or it is the API's cells. */
    byte[][] needles() {
        return needles;
    }

    /** Whether an override counts like the method that it overrides. */
    boolean inherit() {
        return inherit;
    }

    /** Whether a class may count because of its supertypes. */
    boolean needHierarchy() {
        return inherit || ofSubtypes.length > 0;
    }

    /** Whether a rule needs the methods of supertypes. */
    boolean nameOverriding() {
        return nameOverriding;
    }

    /** Whether a rule includes the subtypes of a type of the JDK. */
    boolean nameSupertypesOfTheJdk() {
        return nameSupertypesOfTheJdk;
    }

    /** The maximum number of methods that one rule matches. */
    int limit() {
        return limit;
    }

    /** The descriptors of the annotations that rules name. */
    Set<String> annotations() {
        return annotations;
    }

    /** Whether {@code metaAnnotations} names the annotation with this descriptor. */
    boolean isMetaAnnotation(String descriptor) {
        return metaAnnotations.containsKey(descriptor);
    }

    /** Whether a rule includes the subtypes of one of these types. */
    boolean nameSubtypesOf(Iterable<String> above) {
        for (String type : above) {
            for (Rule rule : ofSubtypes) {
                if (rule.namesType(type)) {
                    return true;
                }
            }
        }
        return false;
    }

    /**
     * The rules that may match methods of this class, in the order of the settings.
     *
     * @param above the names of its supertypes
     * @param exactOnly whether only rules with the exact name of the class apply
     */
    List<Rule> of(String type, Iterable<String> above, boolean exactOnly) {
        List<Rule> of = new ArrayList<>();
        for (Rule rule : all) {
            boolean names = (!exactOnly || rule.isExact()) && rule.namesType(type);
            if (!exactOnly && rule.subtypes && !names) {
                for (String one : above) {
                    names |= rule.namesType(one);
                }
            }
            if (names) {
                rule.named = true;
                of.add(rule);
            }
        }
        return of;
    }

    /** The rules that have matched no method so far, as they are written in the settings. */
    public List<String> idle() {
        List<String> idle = new ArrayList<>();
        for (Rule rule : all) {
            if (!rule.matched) {
                idle.add(rule.text);
            }
        }
        return idle;
    }

    /** Says that a class was seen, but is left alone, so that the rules with its exact name are not reported once more. */
    void leaveAlone(String type) {
        for (Rule rule : all) {
            if (rule.isExact() && rule.namesType(type)) {
                rule.named = true;
                rule.matched = true;
            }
        }
    }

    /** The classes, with slashes, whose exact names rules give and that have not been seen so far. */
    public List<String> unseen() {
        List<String> unseen = new ArrayList<>();
        for (Rule rule : all) {
            if (rule.isExact() && !rule.named && !unseen.contains(rule.type)) {
                unseen.add(rule.type);
            }
        }
        return unseen;
    }
}
