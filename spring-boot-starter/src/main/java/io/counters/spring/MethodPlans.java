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
import org.springframework.aop.support.AopUtils;
import org.springframework.core.MethodClassKey;
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
    private final Set<Class<?>> complainedOf = ConcurrentHashMap.newKeySet();

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
            known = plans.computeIfAbsent(AopUtils.getMostSpecificMethod(method, bean), this::read);
            byCall.put(key, known);
        }
        return known;
    }

    private MethodPlan read(Method method) {
        MethodPlan plan = new MethodPlan();
        if (!Modifier.isAbstract(method.getModifiers()) && !isWoven(method.getDeclaringClass())) {
            for (Count count : marks(method)) {
                plan.add(count, method, names, log);
            }
        }
        return plan;
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
                if (constructor.getAnnotationsByType(Count.class).length > 0 && !isWoven(type)) {
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
