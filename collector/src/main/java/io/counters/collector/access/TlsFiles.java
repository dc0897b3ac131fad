package io.counters.collector.access;

import java.nio.file.Path;
import java.util.Optional;

/**
 * Where a certificate is.
 *
 * @param chain PEM: the certificate, and those that certify it
 * @param key PEM: its private key, in PKCS#8 and not encrypted
 * @param clientCa PEM: the authorities whose certificates let clients in; empty if clients need none
 */
record TlsFiles(Path chain, Path key, Optional<Path> clientCa) {}
