package io.counters.collector.commands;

import io.counters.collector.access.Certificate;
import io.counters.collector.access.Token;
import io.counters.collector.settings.CollectorFlag;
import io.counters.collector.settings.Settings;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.Objects;
import java.util.function.Function;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code --at} and what belongs to it: the collector that a command uses, and what lets the command in there. */
final class CollectorAddress implements CommandLine.ITypeConverter<URI> {
    @Option(
            names = "--at",
            paramLabel = "URL",
            converter = CollectorAddress.class,
            defaultValue = "http://127.0.0.1:11213",
            description = "address of the collector's page (default ${DEFAULT-VALUE})")
    private URI at = URI.create("http://127.0.0.1:11213");

    @Option(
            names = "--token-file",
            paramLabel = "FILE",
            defaultValue = "${env:COUNTERS_TOKEN_FILE}",
            description = "file with the token of the collector; the variable COUNTERS_TOKEN may have the token itself")
    private @Nullable String tokenFile;

    @Option(
            names = "--tls-ca",
            paramLabel = "FILE",
            description =
                    "file with the authority of the collector's certificate, in PEM; without it, those that the JDK trusts")
    private @Nullable Path tlsCa;

    @Spec(Spec.Target.MIXEE)
    private @Nullable CommandSpec spec;

    CollectorApi api() {
        String token = tokenFile != null && !tokenFile.isEmpty()
                ? read(
                        "--token-file is " + Settings.shownFile(tokenFile),
                        tokenFile,
                        file -> token(Settings.secretIn(file)))
                : read(
                        "variable " + CollectorFlag.TOKEN.variable() + " is not shown",
                        Objects.requireNonNullElse(System.getenv(CollectorFlag.TOKEN.variable()), ""),
                        variable -> token(Settings.withoutLineBreak(variable)));
        SSLContext trust = tlsCa == null
                ? null
                : read("--tls-ca is " + Settings.shown(tlsCa.toString()), tlsCa, file -> Certificate.client(file));
        return new CollectorApi(at, token, trust);
    }

    /** A token that can be in a header: the JDK's client shows one that cannot. */
    private static String token(String text) {
        if (!text.isEmpty()) {
            Token.of(text);
        }
        return text;
    }

    private <G, T> T read(String place, G given, Function<G, T> reading) {
        try {
            return reading.apply(given);
        } catch (IllegalArgumentException wrong) {
            throw new CommandLine.ParameterException(
                    Objects.requireNonNull(spec).commandLine(), place + ", " + wrong.getMessage());
        }
    }

    /** Also reads HOST:PORT. */
    @Override
    public URI convert(String text) {
        String url = (text.contains("://") ? text : "http://" + text).replaceFirst("/+$", "");
        try {
            URI read = new URI(url);
            if (read.getHost() != null && (url.startsWith("http://") || url.startsWith("https://"))) {
                return read;
            }
        } catch (URISyntaxException noUrl) {
            // Reported below.
        }
        throw new CommandLine.TypeConversionException(
                "'" + text + "' is not an address; write http://HOST:PORT, such as http://127.0.0.1:11213");
    }
}
