package io.counters.spring;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.counters.Count;
import io.counters.wire.NameTemplates;
import java.io.IOException;
import java.io.InputStream;
import java.lang.annotation.Annotation;
import java.lang.reflect.AnnotatedElement;
import java.lang.reflect.Constructor;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.springframework.aop.support.AopUtils;
import org.springframework.core.MethodClassKey;
import org.springframework.core.annotation.AnnotationUtils;
import org.springframework.core.annotation.MergedAnnotations;
import org.springframework.util.ClassUtils;
import org.springframework.util.ReflectionUtils;

/**
 * Decides what the methods of beans count, by the rules of the agent: {@code @Count} on a method, otherwise {@code @Count}
 * on the class that declares it, for public methods except those of Object and generated ones. An override without
 * {@code @Count} does not count. Any thread.
 */
final class MethodPlans {
    /** The attribute of class files that counters-maven-plugin has instrumented. */
    private static final String WOVEN = "io.counters.Woven";

    private final NameTemplates names;
    private final Consumer<String> log;
    private final Map<MethodClassKey, MethodPlan> byCall = new ConcurrentHashMap<>();
    private final Map<Method, MethodPlan> plans = new ConcurrentHashMap<>();
    private final Map<Class<?>, Boolean> woven = new ConcurrentHashMap<>();
    private final Map<Class<?>, Boolean> marked = new ConcurrentHashMap<>();
    private final Set<Class<?>> complainedOf = ConcurrentHashMap.newKeySet();
    private final Set<Class<?>> unproxied = ConcurrentHashMap.newKeySet();

    /** @param log accepts a line for each {@code @Count} that cannot work */
    MethodPlans(NameTemplates names, Consumer<String> log) {
        this.names = names;
        this.log = log;
    }

    /** What a call of a method counts; the method may be that of an interface or a superclass of the bean's class. */
    MethodPlan of(Method method, Class<?> bean) {
        MethodClassKey key = new MethodClassKey(method, bean);
        MethodPlan known = byCall.get(key);
        if (known == null) {
            Method called = AopUtils.getMostSpecificMethod(method, bean);
            if (Modifier.isAbstract(called.getModifiers()) || marks(called).length == 0) {
                // Not kept: a context has tens of thousands of such methods, and asks for each only a few times.
                return MethodPlan.EMPTY;
            }
            known = plans.computeIfAbsent(called, this::read);
            byCall.put(key, known);
        }
        return known;
    }

    private MethodPlan read(Method method) {
        if (isWoven(method.getDeclaringClass())) {
            return MethodPlan.EMPTY;
        }
        MethodPlan plan = new MethodPlan();
        for (Count count : marks(method)) {
            plan.add(count, method, names, log);
        }
        return plan;
    }

    /** Whether anything in a class, its superclasses or its interfaces has {@code @Count}. */
    boolean haveMarks(Class<?> bean) {
        for (Class<?> type = bean; type != null && type != Object.class; type = type.getSuperclass()) {
            if (hasMarks(type)) {
                return true;
            }
        }
        return ClassUtils.getAllInterfacesForClassAsSet(bean).stream().anyMatch(this::hasMarks);
    }

    private boolean hasMarks(Class<?> type) {
        return marked.computeIfAbsent(
                type,
                unknown -> AnnotationUtils.isCandidateClass(type, Count.class)
                        && (Stream.of(type.getDeclaredMethods()).anyMatch(method -> marks(method).length > 0)
                                || Stream.of(type.getDeclaredConstructors()).anyMatch(MethodPlans::isMarked)));
    }

    private static boolean isMarked(AnnotatedElement element) {
        return element.getAnnotationsByType(Count.class).length > 0;
    }

    /**
     * Whether a proxy does no harm to beans of this class; if not, logs that. The proxy is an object of a subclass, whose
     * own fields are empty: a final method, or a private one that Spring calls, would run on it and not on the bean.
     */
    boolean canBeProxied(Class<?> bean) {
        for (Class<?> type = bean; type != null && type != Object.class; type = type.getSuperclass()) {
            for (Method method : type.getDeclaredMethods()) {
                int modifiers = method.getModifiers();
                boolean isPrivate = Modifier.isPrivate(modifiers);
                if (!Modifier.isStatic(modifiers)
                        && !method.isSynthetic()
                        && (isPrivate ? isCalledBySpring(method) : Modifier.isFinal(modifiers))) {
                    if (unproxied.add(bean)) {
                        log.accept(bean.getName()
                                + ": @Count is not counted, because the proxy that would count it breaks the "
                                + (isPrivate ? "private" : "final") + " method " + method.getName()
                                + "; make it " + (isPrivate ? "package-private" : "not final")
                                + ", or start the JVM with -javaagent:counters.jar to count");
                    }
                    return false;
                }
            }
        }
        return true;
    }

    /** Whether it has an annotation of Spring, other than those by which Spring injects before there is a proxy. */
    private static boolean isCalledBySpring(Method method) {
        return MergedAnnotations.from(method).stream()
                .map(annotation -> annotation.getType().getName())
                .anyMatch(name -> name.startsWith("org.springframework.")
                        && !name.startsWith("org.springframework.beans.factory.annotation."));
    }

    /** Whether the build has instrumented the class: its methods then count by themselves. */
    private boolean isWoven(Class<?> type) {
        return woven.computeIfAbsent(type, unknown -> {
            try (InputStream file =
                    type.getResourceAsStream("/" + type.getName().replace('.', '/') + ".class")) {
                return file != null && new String(file.readAllBytes(), ISO_8859_1).contains(WOVEN);
            } catch (IOException unreadable) {
                return false;
            }
        });
    }

    private static Count[] marks(Method method) {
        Count[] own = method.getAnnotationsByType(Count.class);
        if (own.length > 0) {
            return own;
        }
        boolean isOpen = Modifier.isPublic(method.getModifiers())
                && !method.isSynthetic()
                && !ReflectionUtils.isObjectMethod(method)
                && !isGenerated(method);
        return isOpen ? method.getDeclaringClass().getDeclaredAnnotationsByType(Count.class) : own;
    }

    private static boolean isGenerated(AnnotatedElement element) {
        for (Annotation annotation : element.getAnnotations()) {
            if (annotation.annotationType().getSimpleName().equals("Generated")) {
                return true;
            }
        }
        return false;
    }

    /** Logs each {@code @Count} in a bean's class and its superclasses that no proxy can count. */
    void complainOf(Class<?> bean) {
        for (Class<?> type = bean; type != null && type != Object.class; type = type.getSuperclass()) {
            if (!complainedOf.add(type)) {
                return;
            }
            boolean isFinal = Modifier.isFinal(bean.getModifiers());
            for (Method method : type.getDeclaredMethods()) {
                int modifiers = method.getModifiers();
                String kind = isFinal
                        ? "a method of a final class"
                        : Modifier.isPrivate(modifiers)
                                ? "a private method"
                                : Modifier.isStatic(modifiers)
                                        ? "a static method"
                                        : Modifier.isFinal(modifiers) ? "a final method" : "";
                if (!kind.isEmpty() && marks(method).length > 0 && !isWoven(type)) {
                    complain(type, method.getName(), kind);
                }
            }
            for (Constructor<?> constructor : type.getDeclaredConstructors()) {
                if (isMarked(constructor) && !isWoven(type)) {
                    complain(type, "new", "a constructor");
                }
            }
        }
    }

    private void complain(Class<?> type, String method, String kind) {
        log.accept(type.getName() + "." + method + ": @Count is not counted, because Spring cannot intercept calls of "
                + kind + "; start the JVM with -javaagent:counters.jar to count it");
    }
}
