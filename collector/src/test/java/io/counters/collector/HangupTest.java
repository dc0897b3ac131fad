package io.counters.collector;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class HangupTest {
    @Test
    void a_signal_that_comes_before_there_is_something_to_call_has_its_effect_then() {
        Hangup hangup = Hangup.taken();
        AtomicInteger calls = new AtomicInteger();

        hangup.signal();
        hangup.calls(calls::incrementAndGet);
        assertThat(calls).hasValue(1);

        hangup.signal();
        assertThat(calls).hasValue(2);
    }
}
