package io.counters.junit;

import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/**
 * Gives tests a parameter of type {@link Counted}: what is counted from then on.
 *
 * <pre>{@code
 * @ExtendWith(CountersExtension.class)
 * class OrdersTest {
 *     @Test
 *     void an_order_is_counted(Counted counters) {
 *         orders.place(cart);
 *
 *         assertThat(counters).counted("orders.placed", 1);
 *     }
 * }
 * }</pre>
 *
 * <p>A test method's parameter begins when the method does, after all {@code @BeforeEach}; constructors and
 * {@code @BeforeEach} and {@code @BeforeAll} methods may have one too, which begins there. {@code @Count} counts only
 * where the test JVM runs under the agent: {@code -javaagent:counters.jar=collector=none}.
 */
public final class CountersExtension implements ParameterResolver {
    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext test) {
        return parameter.getParameter().getType() == Counted.class;
    }

    @Override
    public Counted resolveParameter(ParameterContext parameter, ExtensionContext test) {
        return new Counted();
    }
}
