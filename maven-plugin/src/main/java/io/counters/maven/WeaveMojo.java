package io.counters.maven;

import io.counters.agent.Main;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.PrintStream;
import java.io.UnsupportedEncodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import org.apache.maven.plugin.AbstractMojo;
import org.apache.maven.plugin.MojoExecutionException;
import org.apache.maven.plugin.MojoFailureException;
import org.apache.maven.plugins.annotations.LifecyclePhase;
import org.apache.maven.plugins.annotations.Mojo;
import org.apache.maven.plugins.annotations.Parameter;
import org.apache.maven.plugins.annotations.ResolutionScope;
import org.jspecify.annotations.Nullable;

/**
 * Inserts counting calls into the compiled classes of the project, as the agent does when a JVM loads them. They then count
 * without the agent. A class file is written only if its contents change. The parameters have the names and values of the
 * agent's settings. The build fails if something that is marked will not count.
 */
@Mojo(
        name = "weave",
        defaultPhase = LifecyclePhase.PROCESS_CLASSES,
        requiresDependencyResolution = ResolutionScope.COMPILE_PLUS_RUNTIME,
        threadSafe = true)
public final class WeaveMojo extends AbstractMojo {
    private static final int MISUSED = 2;

    /** The folder with the class files. */
    @Parameter(defaultValue = "${project.build.outputDirectory}", readonly = true, required = true)
    private @Nullable File classes;

    @Parameter(defaultValue = "${project.compileClasspathElements}", readonly = true, required = true)
    private List<String> compiled = new ArrayList<>();

    @Parameter(defaultValue = "${project.runtimeClasspathElements}", readonly = true, required = true)
    private List<String> runtime = new ArrayList<>();

    /** Rules. */
    @Parameter
    private List<String> methods = new ArrayList<>();

    /** Annotations that carry {@code @Count}. */
    @Parameter
    private List<String> metaAnnotations = new ArrayList<>();

    /** Annotations of other libraries that count as their attributes say. */
    @Parameter
    private List<String> alias = new ArrayList<>();

    /** Whether overrides count like the method that they override. */
    @Parameter
    private @Nullable String inherit;

    /** The maximum number of methods that one rule matches. */
    @Parameter
    private @Nullable String ruleLimit;

    /** A file with settings of the agent. The parameters precede it. */
    @Parameter
    private @Nullable File settings;

    /** What {@code {app}} stands for in names; there is no default. */
    @Parameter
    private @Nullable String app;

    /** Tags of counters that have no name of their own. */
    @Parameter
    private @Nullable String tags;

    /** If false, class files that were woven get their original contents. */
    @Parameter(property = "counters.enabled")
    private @Nullable String enabled;

    @Override
    public void execute() throws MojoExecutionException, MojoFailureException {
        if (classes == null || !classes.isDirectory()) {
            getLog().info("there are no classes to weave");
            return;
        }
        String[] arguments = arguments(classes);
        refuseOtherSettings(Arrays.asList(arguments));
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        int status;
        try {
            status = Main.run(arguments, print(out), print(err));
        } catch (Exception unexpected) {
            throw new MojoExecutionException(classes + " cannot be woven", unexpected);
        }
        log(out, getLog()::info);
        log(err, status == 0 ? getLog()::warn : getLog()::error);
        if (status == MISUSED) {
            throw new MojoExecutionException(classes + " cannot be woven; the lines above say why");
        }
        if (status != 0) {
            throw new MojoFailureException("something that is marked will not count; the lines above say what and why."
                    + " The settings are in the configuration of counters-maven-plugin"
                    + (settings == null ? "" : " and in " + settings));
        }
    }

    /** The classes are always woven from their originals, so another execution would remove what this one inserts. */
    @SuppressWarnings("unchecked") // Maven declares a Map without types.
    private void refuseOtherSettings(List<String> arguments) throws MojoFailureException {
        Object earlier = getPluginContext().put(WeaveMojo.class.getName(), arguments);
        if (earlier != null && !earlier.equals(arguments)) {
            throw new MojoFailureException(
                    "weave is executed twice in this project with different settings, and the second"
                            + " execution would undo the first; put all settings into one execution of counters-maven-plugin");
        }
    }

    private String[] arguments(File folder) throws MojoFailureException {
        List<String> classPath = new ArrayList<>(compiled);
        classPath.addAll(runtime);
        List<String> arguments = new ArrayList<>(Arrays.asList(
                "weave",
                folder.getPath(),
                "--class-path",
                String.join(File.pathSeparator, classPath),
                "--run-path",
                String.join(File.pathSeparator, runtime)));
        add(arguments, "methods", String.join(";", methods));
        add(arguments, "metaAnnotations", String.join(";", metaAnnotations));
        add(arguments, "alias", String.join(";", alias));
        add(arguments, "inherit", inherit);
        add(arguments, "ruleLimit", ruleLimit);
        add(arguments, "settings", settings == null ? null : settings.getPath());
        add(arguments, "app", app);
        add(arguments, "tags", tags);
        add(arguments, "enabled", enabled);
        return arguments.toArray(new String[0]);
    }

    private static void add(List<String> arguments, String key, @Nullable String value) throws MojoFailureException {
        if (value != null && !value.isEmpty()) {
            if (value.indexOf('\'') >= 0) {
                throw new MojoFailureException(
                        key + " is " + value + "; a parameter of counters-maven-plugin cannot contain '"
                                + ", which encloses values; write it in the file that the parameter settings names");
            }
            // Rules in a POM may have a line each.
            arguments.add(key + "='" + value.replaceAll("\\s*[\r\n]+\\s*", " ").trim() + "'");
        }
    }

    @SuppressWarnings("JdkObsolete") // Java 8 has no other constructor with an encoding.
    private static PrintStream print(ByteArrayOutputStream bytes) throws UnsupportedEncodingException {
        return new PrintStream(bytes, true, StandardCharsets.UTF_8.name());
    }

    private static void log(ByteArrayOutputStream bytes, Consumer<CharSequence> level) {
        for (String line : new String(bytes.toByteArray(), StandardCharsets.UTF_8).split("\r?\n", -1)) {
            if (!line.isEmpty()) {
                level.accept(line);
            }
        }
    }
}
