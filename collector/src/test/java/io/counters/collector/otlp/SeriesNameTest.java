package io.counters.collector.otlp;

import static io.counters.collector.otlp.Exports.attribute;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import io.opentelemetry.proto.common.v1.KeyValue;
import java.util.AbstractList;
import java.util.List;
import org.junit.jupiter.api.Test;

class SeriesNameTest {
    private final SeriesName series =
            new SeriesName(new OtlpSettings(0, List.of("region", "zone"), List.of(), 1 << 20, 250));

    /** The attributes of a resource, and how often one is read. */
    private static final class Attributes extends AbstractList<KeyValue> {
        private final List<KeyValue> attributes;
        int reads;

        Attributes(KeyValue... attributes) {
            this.attributes = List.of(attributes);
        }

        @Override
        public KeyValue get(int index) {
            reads++;
            return attributes.get(index);
        }

        @Override
        public int size() {
            return attributes.size();
        }
    }

    private String name(KeyValue... ofPoint) {
        assertThat(series.read("n".getBytes(ISO_8859_1), List.of(ofPoint))).isNull();
        return new String(series.name(), ISO_8859_1);
    }

    @Test
    void the_attributes_of_a_resource_are_read_once_however_many_series_it_has() {
        Attributes resource =
                new Attributes(attribute("a", "1"), attribute("zone", "first"), attribute("zone", "second"));

        series.resource(resource);
        for (int i = 0; i < 100; i++) {
            assertThat(name()).isEqualTo("n,zone=first");
            assertThat(name(attribute("zone", "own"))).isEqualTo("n,zone=own");
        }

        assertThat(resource.reads).isEqualTo(3);

        series.resource(List.of());
        assertThat(name()).isEqualTo("n");
    }
}
