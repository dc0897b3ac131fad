package io.counters.spring;

import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.aopalliance.intercept.MethodInterceptor;
import org.aopalliance.intercept.MethodInvocation;
import org.jspecify.annotations.Nullable;
import org.springframework.aop.framework.Advised;
import org.springframework.aop.framework.autoproxy.AbstractBeanFactoryAwareAdvisingPostProcessor;
import org.springframework.aop.support.AopUtils;
import org.springframework.aop.support.DefaultPointcutAdvisor;
import org.springframework.aop.support.StaticMethodMatcherPointcut;

/**
 * Counts the calls of beans with {@code @Count}, by an advice at the end of each bean's chain. So it counts what the agent
 * counts in the method itself: only calls that other advice lets through, each attempt of a retry, and the method's own
 * outcome, not that of a transaction around it.
 *
 * <p>An agent that is attached later counts in the methods themselves; from then on the advice counts nothing.
 */
final class CountBeanPostProcessor extends AbstractBeanFactoryAwareAdvisingPostProcessor {
    private static final long serialVersionUID = 1;

    private final transient MethodPlans plans;
    private final transient BooleanSupplier agentCounts;
    private final transient Consumer<String> log;
    private final AtomicBoolean said = new AtomicBoolean();

    /**
     * @param agentCounts whether the agent counts; if so, this counts nothing
     * @param log accepts one line when the first bean counts
     */
    CountBeanPostProcessor(MethodPlans plans, BooleanSupplier agentCounts, Consumer<String> log) {
        this.plans = plans;
        this.agentCounts = agentCounts;
        this.log = log;
        setProxyTargetClass(true);
        advisor = new DefaultPointcutAdvisor(new Counted(), new Counting());
    }

    /** The methods that count. */
    private final class Counted extends StaticMethodMatcherPointcut {
        @Override
        public boolean matches(Method method, Class<?> target) {
            return !plans.of(method, target).isEmpty();
        }
    }

    private final class Counting implements MethodInterceptor {
        @Override
        public @Nullable Object invoke(MethodInvocation call) throws Throwable {
            Object bean = call.getThis();
            if (bean == null || agentCounts.getAsBoolean() || isCountedBy(bean)) {
                return call.proceed();
            }
            return plans.of(call.getMethod(), AopUtils.getTargetClass(bean)).count(call);
        }

        /** Whether the object behind this proxy is a proxy itself, which counts. */
        private boolean isCountedBy(Object bean) {
            return bean instanceof Advised inner && inner.indexOf(this) >= 0;
        }
    }

    /** Whether a bean without a proxy may have one. */
    @Override
    protected boolean isEligible(Object bean, String name) {
        return super.isEligible(bean, name) && plans.canBeProxied(bean.getClass());
    }

    @Override
    protected boolean isEligible(Class<?> type) {
        if (agentCounts.getAsBoolean() || type.getName().startsWith("org.springframework.") || !plans.haveMarks(type)) {
            return false;
        }
        plans.complainOf(type);
        boolean counts = !Modifier.isFinal(type.getModifiers()) && super.isEligible(type);
        if (counts && said.compareAndSet(false, true)) {
            log.accept(
                    "@Count counts calls of Spring beans through their proxies. To count also private, final and static"
                            + " methods, constructors, calls within a bean, and other objects, start the JVM with"
                            + " -javaagent:counters.jar");
        }
        return counts;
    }
}
