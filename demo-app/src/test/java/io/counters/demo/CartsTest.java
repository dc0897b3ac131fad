package io.counters.demo;

import static io.counters.junit.CountedAssert.assertThat;

import io.counters.junit.Counted;
import io.counters.junit.CountersExtension;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(CountersExtension.class)
class CartsTest {
    @Test
    void an_abandoned_cart_is_no_longer_open(Counted counters) throws Refused {
        Carts carts = new Carts();

        carts.abandon(carts.open());

        assertThat(counters).counted("carts.abandoned", 1).notCounted("carts.open");
    }

    @Test
    void an_opened_cart_is_open(Counted counters) throws Refused {
        new Carts().open();

        assertThat(counters).counted("carts.open", 1);
    }
}
