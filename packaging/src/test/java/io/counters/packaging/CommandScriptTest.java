package io.counters.packaging;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which Java the command counters of the Debian package runs. */
@EnabledOnOs(OS.LINUX)
class CommandScriptTest {
    @TempDir
    Path folder;

    private Path java(String name) throws Exception {
        Path java = Files.createDirectories(folder.resolve(name).resolve("bin")).resolve("java");
        Files.writeString(java, "#!/bin/sh\necho " + name + " \"$@\"\n");
        Files.setPosixFilePermissions(java, PosixFilePermissions.fromString("rwxr-xr-x"));
        return folder.resolve(name);
    }

    private String run(String defaults, String home) throws Exception {
        Path file = Files.writeString(folder.resolve("default"), defaults.replace("FOLDER", folder.toString()));
        Path copy = Files.writeString(
                folder.resolve("counters"),
                Files.readString(Path.of("debian", "counters")).replace("/etc/default/counters", file.toString()));
        String path = java("old").resolve("bin") + ":/usr/bin:/bin";
        return Shell.run(
                "env", "-u", "JAVA_OPTS", "PATH=" + path, "JAVA_HOME=" + home, "/bin/sh", copy.toString(), "top");
    }

    /** The service's file names the Java of the commands, too: the machine's own may be too old. */
    @ParameterizedTest
    @CsvSource({
        "#JAVA_HOME=/none,                      old",
        "JAVA_HOME=FOLDER/new,                  new",
        "'JAVA_HOME=\"FOLDER/new\"',            new",
        "'JAVA_HOME=''FOLDER/new''  ',          new",
        "'  JAVA_HOME=FOLDER/new\r',            new",
        "JAVA_OPTS=\"-Xmx1g\",                  old",
    })
    void java_is_the_one_of_the_service(String defaults, String used) throws Exception {
        Path given = java("given");
        java("new");

        assertThat(run("JAVA_OPTS=\"-Xmx512m\"\n" + defaults + "\n", "")).startsWith(used + " -XX:+UseSerialGC ");
        assertThat(run(defaults + "\n", given.toString())).startsWith("given ").endsWith(" top\n");
    }
}
