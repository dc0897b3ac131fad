package io.counters.collector.tap;

import com.google.gson.stream.JsonWriter;
import io.counters.collector.common.AddressKey;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.math.BigDecimal;

/** The JSON of one event. */
final class EventJson {
    private final StringWriter text = new StringWriter();
    private final JsonWriter json = new JsonWriter(text);

    private EventJson() {}

    /** Begins with the time and the sender's address. */
    static EventJson of(Received received) {
        EventJson event = new EventJson();
        try {
            event.json.beginObject();
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
        String address = AddressKey.text(received.addressKey());
        event.put("at", received.atMillis()).put("protocol", received.protocol());
        return event.put("from", received.port() == 0 ? address : address + ":" + received.port());
    }

    EventJson put(String name, String value) {
        try {
            json.name(name).value(value);
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
        return this;
    }

    EventJson put(String name, long value) {
        return put(name, BigDecimal.valueOf(value));
    }

    EventJson put(String name, BigDecimal value) {
        try {
            json.name(name).jsonValue(value.toPlainString());
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
        return this;
    }

    String text() {
        try {
            json.endObject();
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
        return text.toString();
    }
}
