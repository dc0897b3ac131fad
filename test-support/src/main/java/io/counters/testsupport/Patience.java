package io.counters.testsupport;

import java.time.Duration;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * Gives waits that say no limit one that also suits a busy machine; Awaitility's own is 10 s. JUnit finds this extension by
 * itself, for each class of tests.
 */
public final class Patience implements BeforeAllCallback {
    private static final Duration AT_MOST = Duration.ofSeconds(60);

    @Override
    public void beforeAll(ExtensionContext context) {
        Awaitility.setDefaultTimeout(AT_MOST);
    }
}
