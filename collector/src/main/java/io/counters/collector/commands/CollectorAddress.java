package io.counters.collector.commands;

import java.net.URI;
import java.net.URISyntaxException;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/** {@code --at}: the address of the collector that a command uses. */
final class CollectorAddress implements CommandLine.ITypeConverter<URI> {
    @Option(
            names = "--at",
            paramLabel = "URL",
            converter = CollectorAddress.class,
            defaultValue = "http://127.0.0.1:11213",
            description = "address of the collector's page (default ${DEFAULT-VALUE})")
    private URI at = URI.create("http://127.0.0.1:11213");

    CollectorApi api() {
        return new CollectorApi(at);
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
