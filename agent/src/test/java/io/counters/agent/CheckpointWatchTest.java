package io.counters.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.counters.agent.settings.Settings;
import io.counters.agent.weave.Rules;
import io.counters.agent.weave.Weaving;
import io.counters.wire.NameTemplates;
import java.lang.instrument.Instrumentation;
import java.lang.ref.WeakReference;
import java.lang.reflect.Proxy;
import java.net.URL;
import java.net.URLClassLoader;
import java.util.Map;
import java.util.Properties;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Which class loaders with {@code org.crac} the agent registers with, and keeps. */
@Timeout(120)
class CheckpointWatchTest {
    private static final String CORE = "org/crac/Core";

    private final Log log = new Log();
    private final CheckpointWatch checkpoints = watch();

    @Test
    void the_last_loader_that_has_the_library_is_registered_with_and_no_other_one_is_kept() throws Exception {
        WeakReference<ClassLoader> first = new WeakReference<>(loads());
        System.gc();
        assertThat(first.get()).as("its registration is kept").isNotNull();

        WeakReference<ClassLoader> second = new WeakReference<>(loads());
        await().until(() -> {
            System.gc();
            return first.get() == null;
        });

        assertThat(second.get()).isNotNull();
        assertThat(checkpoints).isNotNull();
        assertThat(log.said()).isEmpty();
    }

    /** As a web application that loads its own copy of the library; returns when the agent has seen it. */
    private ClassLoader loads() throws Exception {
        URL library = org.crac.Core.class.getProtectionDomain().getCodeSource().getLocation();
        ClassLoader loader = new URLClassLoader(new URL[] {library}, ClassLoader.getPlatformClassLoader());
        assertThat(checkpoints.transform(loader, CORE, null, null, new byte[0])).isNull();
        await().until(() -> Thread.getAllStackTraces().keySet().stream()
                .noneMatch(thread -> thread.getName().equals("counters-checkpoint")));
        return loader;
    }

    private CheckpointWatch watch() {
        Instrumentation none = (Instrumentation) Proxy.newProxyInstance(
                CheckpointWatchTest.class.getClassLoader(),
                new Class<?>[] {Instrumentation.class},
                (proxy, method, arguments) -> null);
        Settings settings = Settings.read("collector=none", new Properties(), Map.of());
        BridgeActivation counting = new BridgeActivation(none, settings.emitter(), settings.sends(), log);
        NameTemplates names = new NameTemplates("host", "app", "", log);
        Weaving weaving = new Weaving(Rules.read(settings, log), names, counting, counting, log);
        return new CheckpointWatch(none, counting, new LoadedClasses(none, weaving, counting, log), log);
    }
}
