package io.counters.demo;

import static io.counters.junit.CountedAssert.assertThat;

import io.counters.junit.Counted;
import io.counters.junit.CountersExtension;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(CountersExtension.class)
class CartsTest {
    @Test
    void a_cart_that_is_abandoned_is_open_no_more(Counted counters) throws Refused {
        Carts carts = new Carts();

        carts.abandon(carts.open());

        assertThat(counters).counted("carts.abandoned", 1).notCounted("carts.open");
    }

    @Test
    void a_cart_that_is_opened_is_open(Counted counters) throws Refused {
        new Carts().open();

        assertThat(counters).counted("carts.open", 1);
    }
}
