package io.counters.agent.weave;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.net.URL;
import java.security.CodeSource;
import java.security.ProtectionDomain;
import org.jspecify.annotations.Nullable;

/**
 * Where a class comes from: the application, the JDK, another agent, or a tool that generated it. Only classes of the
 * application count for rules with {@code *} and {@code +}, and for {@code inherit}. The others count for their own {@code
 * @Count} and for rules that give their exact names.
 */
enum ClassOrigin {
    APPLICATION,
    /** The JDK or another agent. */
    FOREIGN,
    /** A tool, according to the class's name; of which application or agent is not asked. */
    GENERATED;

    /** Packages of the JDK that an application may have, too, such as {@code javax.servlet}. */
    private static final String[] PERHAPS_OF_THE_JDK = {"javax/", "jdk/", "sun/", "com/sun/"};

    private static final String[] OURS = {
        "io/counters/agent/", "io/counters/cells/", "io/counters/emit/", "io/counters/ring/", "io/counters/wire/"
    };

    private static final String[] OTHER_AGENTS = {
        "io/opentelemetry/javaagent/",
        "datadog/",
        "com/newrelic/agent/",
        "co/elastic/apm/agent/",
        "org/glowroot/agent/",
        "com/dynatrace/",
        "com/appdynamics/"
    };

    private static final String[] GENERATED_NAMES = {
        "$$", "CGLIB", "EnhancerBy", "ByteBuddy", "MockitoMock", "_Subclass", "_ClientProxy", "_WeldSubclass"
    };

    /** In a proxy of the JDK a number follows; a nested class may be named {@code Outer$ProxyServlet}. */
    private static final String PROXY = "$Proxy";

    /** The attribute with line numbers: compilers write it, tools that generate classes do not. */
    private static final byte[][] LINES = {"LineNumberTable".getBytes(UTF_8)};

    static ClassOrigin of(@Nullable ClassLoader loader, String name, byte[] bytes) {
        if (isGenerated(name, bytes)) {
            return GENERATED;
        }
        return isForeign(loader, name) ? FOREIGN : APPLICATION;
    }

    /** The first, fast check: whether a class with this name, which has slashes, may be marked. */
    static boolean mayBeMarked(@Nullable ClassLoader loader, String name) {
        if (name.startsWith("java/") || startsWithOneOf(OURS, name)) {
            return false;
        }
        return loader == null ? !startsWithOneOf(PERHAPS_OF_THE_JDK, name) : !isPlatform(loader);
    }

    /** Whether it comes from the JDK's own image, although the application's loader loads it. */
    static boolean isOfTheImage(String name, @Nullable ProtectionDomain domain) {
        CodeSource source =
                domain == null || !startsWithOneOf(PERHAPS_OF_THE_JDK, name) ? null : domain.getCodeSource();
        URL from = source == null ? null : source.getLocation();
        return from != null && from.getProtocol().equals("jrt");
    }

    /** Whether it belongs to the JDK or another agent. */
    static boolean isForeign(@Nullable ClassLoader loader, String name) {
        if (name.startsWith("java/") || (loader != null && isPlatform(loader))) {
            return true;
        }
        if ((loader == null || startsWithOneOf(PERHAPS_OF_THE_JDK, name)) && isInTheJdk(name)) {
            return true;
        }
        return startsWithOneOf(OTHER_AGENTS, name) && !isOfTheApplication(loader);
    }

    /** Whether its name is like those that tools give to classes that they generate at run time. */
    static boolean isGenerated(String name) {
        for (String part : GENERATED_NAMES) {
            if (name.contains(part)) {
                return true;
            }
        }
        int number = name.indexOf(PROXY) + PROXY.length();
        return number >= PROXY.length() && number < name.length() && Character.isDigit(name.charAt(number));
    }

    /** Whether a tool generated it. Compilers use such names, too: Scala's for anonymous classes. */
    static boolean isGenerated(String name, byte[] bytes) {
        return isGenerated(name) && !ConstantPool.mentions(LINES, bytes);
    }

    /** By name: if the application replaces the system loader, Java 8 has no other way to find the platform loader. */
    private static boolean isPlatform(ClassLoader loader) {
        String type = loader.getClass().getName();
        return type.equals("jdk.internal.loader.ClassLoaders$PlatformClassLoader")
                || type.equals("sun.misc.Launcher$ExtClassLoader");
    }

    private static boolean isInTheJdk(String name) {
        URL file = ClassLoader.getSystemResource(name + ".class");
        return file != null
                && (file.getProtocol().equals("jrt") || file.getPath().contains("/rt.jar!"));
    }

    /** Whether the loader is the application's or below it. Other agents have loaders beside the application's or above. */
    @SuppressWarnings("ReferenceEquality") // Loaders are compared by identity.
    private static boolean isOfTheApplication(@Nullable ClassLoader loader) {
        ClassLoader application = ClassLoader.getSystemClassLoader();
        for (ClassLoader at = loader; at != null; at = at.getParent()) {
            if (at == application) {
                return true;
            }
        }
        return false;
    }

    private static boolean startsWithOneOf(String[] prefixes, String name) {
        for (String prefix : prefixes) {
            if (name.startsWith(prefix)) {
                return true;
            }
        }
        return false;
    }
}
