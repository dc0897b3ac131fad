package io.counters.demo;

import java.nio.file.Files;
import java.nio.file.Path;

/** The jars that the build has made, for integration tests that run in this module's folder. */
final class Jars {
    /** For the environment of scripts: the JVMs that they start live for seconds, and would spend them on compiling well. */
    static final String QUICK_JVMS = "JDK_JAVA_OPTIONS=-XX:TieredStopAtLevel=1 -XX:+UseSerialGC";

    private Jars() {}

    static Path agent() {
        return built("../agent/target/counters.jar");
    }

    static Path collector() {
        return built("../collector/target/collector.jar");
    }

    static Path shop() {
        return built("target/demo-app.jar");
    }

    /** @throws AssertionError if it does not exist */
    static Path built(String jar) {
        Path path = Path.of(jar).toAbsolutePath().normalize();
        if (!Files.isRegularFile(path)) {
            throw new AssertionError(path + " is missing; build it with: mvn package -DskipTests -pl demo-app -am");
        }
        return path;
    }
}
