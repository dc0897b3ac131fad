package io.counters.junit;

import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/**
 * Provides tests with a parameter of type {@link Counted}, which contains what is counted from then on.
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
 * <p>The parameter of a test method begins when the method begins, after all {@code @BeforeEach} methods. Constructors,
 * {@code @BeforeEach} and {@code @BeforeAll} methods may have such a parameter too, which begins when they do.
 * {@code @Count} counts only if the test JVM runs under the agent: {@code -javaagent:counters.jar=collector=none}.
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
