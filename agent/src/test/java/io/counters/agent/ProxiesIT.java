package io.counters.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.counters.fixture.Proxies;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import javassist.util.proxy.ProxyFactory;
import net.bytebuddy.ByteBuddy;
import org.junit.jupiter.api.Test;
import org.springframework.cglib.proxy.Enhancer;

/** A call through a proxy counts once, whatever tool generated the proxy and whatever its name is. */
class ProxiesIT {
    @Test
    void a_call_through_a_proxy_counts_once_for_the_real_method() throws Exception {
        List<Path> classPath = new ArrayList<>(List.of(ChildJvm.FIXTURES, ChildJvm.CORE));
        for (Class<?> of : List.of(ByteBuddy.class, ProxyFactory.class, Enhancer.class)) {
            classPath.add(Path.of(
                    of.getProtectionDomain().getCodeSource().getLocation().toURI()));
        }
        try (Receiver receiver = new Receiver()) {
            ChildJvm.Ended child = ChildJvm.run(
                            receiver.arguments()
                                    + ",inherit=true,methods='+io.counters.fixture.Proxies$Order#place = plus;"
                                    + "io.counters.fixture.*Order*#place = star;"
                                    + "+io.counters.fixture.Proxies$Service#place = services'",
                            classPath,
                            Proxies.class,
                            "-Xverify:all")
                    .well();

            assertThat(child.out()).isEqualTo("10 11");
            assertThat(receiver.sums())
                    .containsEntry("own", 11L)
                    .containsEntry("plus", 11L)
                    .containsEntry("star", 10L)
                    .containsEntry("service", 1L)
                    .containsEntry("services", 1L)
                    .hasSize(5);
        }
    }
}
