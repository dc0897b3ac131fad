package io.counters.collector.doctor;

import io.counters.collector.common.DiskFault;
import io.counters.collector.fleet.FleetCheck;
import io.counters.collector.fleet.FleetReport;
import io.counters.collector.fleet.FleetSettings;
import io.counters.collector.fleet.Member;
import io.counters.collector.intake.KeySettings;
import io.counters.collector.intake.Keys;
import io.counters.collector.ledger.LedgerFile;
import io.counters.collector.ledger.LedgerInspection;
import io.counters.collector.publish.PublishSettings;
import io.counters.collector.publish.SinkAddress;
import io.counters.collector.store.Store;
import io.counters.collector.store.StoreSettings;
import io.counters.collector.udp.UdpSocket;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import okhttp3.HttpUrl;

/**
 * The checks other than those of the ports. If a test cannot produce some facts on every machine, the check takes them as
 * arguments.
 */
final class Checks {
    private static final int CERTIFICATE_DAYS_MIN = 7;

    private static final long FREE_FAIL = 64L << 20;
    private static final long FREE_WARN = 1L << 30;
    private static final long SYNC_WARN_MILLIS = 100;
    private static final int SYNCS = 5;
    private static final int PROBE_BYTES = 4096;
    private static final long JUMP_MILLIS = 500;
    private static final int YEAR_MIN = 2024;
    private static final int YEAR_MAX = 2100;
    private static final List<String> SHARED_DISKS =
            List.of("nfs", "cifs", "smb", "9p", "fuse", "afs", "ceph", "gluster");
    private static final String STAMP = "counters:ledger";

    private final InstantSource clock;
    private final LongSupplier nanoClock;
    private final HttpProbe http = new HttpProbe();

    Checks(InstantSource clock, LongSupplier nanoClock) {
        this.clock = clock;
        this.nanoClock = nanoClock;
    }

    // The kernel

    /** Whether the certificate expires soon. */
    static Finding certificate(long endsSeconds, long nowSeconds) {
        String remedy = "replace its files; a running collector reads them again";
        long days = Math.floorDiv(endsSeconds - nowSeconds, TimeUnit.DAYS.toSeconds(1));
        if (days < 0) {
            return Finding.failure("certificate", "it has expired", remedy);
        }
        return days < CERTIFICATE_DAYS_MIN
                ? Finding.warning("certificate", "it expires in " + days + " days", remedy)
                : Finding.ok("certificate", "it expires in " + days + " days");
    }

    /** Whether others can sign counts. */
    static Finding keys(KeySettings keys) {
        return Keys.modeForOthers(keys.file())
                .map(mode -> Finding.warning(
                        "keys",
                        "others than its owner can use the file of keys " + keys.file() + " (" + mode
                                + "), and sign counts with them",
                        "chmod 600 " + keys.file()))
                .orElseGet(() -> Finding.ok(
                        "keys", "signatures are " + (keys.isRequired() ? "required" : "checked, and not required")));
    }

    static Finding receiveBuffer() {
        try (UdpSocket socket = new UdpSocket(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))) {
            return receiveBuffer(socket.receiveBufferBytes(), UdpSocket.RECEIVE_BUFFER_BYTES);
        } catch (IOException cannot) {
            return Finding.failure(
                    "receive buffer", "no UDP socket can be opened: " + cannot.getMessage(), "remove the cause shown");
        }
    }

    static Finding receiveBuffer(int granted, int wanted) {
        String found = String.format(Locale.ROOT, "%,d of %,d bytes for waiting datagrams", granted, wanted);
        return granted >= wanted
                ? Finding.ok("receive buffer", found)
                : Finding.warning(
                        "receive buffer",
                        found + ", so bursts may be dropped",
                        "sysctl -w net.core.rmem_max=" + wanted + ", and restart the collector");
    }

    static Finding descriptors(long limit, int connections, int wanted) {
        return connections >= wanted
                ? Finding.ok("file descriptors", limit == Long.MAX_VALUE ? "no known limit" : "limit " + limit)
                : Finding.warning(
                        "file descriptors",
                        "with the limit of " + limit + " and this heap, TCP connections are limited to " + connections
                                + " instead of " + wanted,
                        "raise ulimit -n (LimitNOFILE in systemd) or -Xmx, or lower --connections");
    }

    // The clock

    /** The time at which the checks began, by both clocks. */
    record Moment(Instant wall, long nanos) {}

    Moment now() {
        return new Moment(clock.instant(), nanoClock.getAsLong());
    }

    static Finding clock(Moment begin, Moment end) {
        long wall = Duration.between(begin.wall, end.wall).toMillis();
        long elapsed = TimeUnit.NANOSECONDS.toMillis(end.nanos - begin.nanos);
        int year = end.wall.atZone(ZoneOffset.UTC).getYear();
        if (year < YEAR_MIN || year > YEAR_MAX) {
            return Finding.failure(
                    "clock",
                    "the time is " + end.wall,
                    "set it, and run an NTP service, such as chrony or systemd-timesyncd");
        }
        if (Math.abs(wall - elapsed) > JUMP_MILLIS) {
            return Finding.warning(
                    "clock",
                    "it moved by " + wall + " ms while " + elapsed + " ms passed",
                    "run one NTP service that adjusts the clock gradually, such as chrony; no second is published twice");
        }
        return Finding.ok(
                "clock",
                end.wall.truncatedTo(java.time.temporal.ChronoUnit.SECONDS) + ", no jump in " + elapsed + " ms");
    }

    // The disk

    List<Finding> disk(Path folder) {
        Path there = folder;
        while (there != null && !Files.exists(there)) {
            there = there.getParent();
        }
        if (there == null) {
            return List.of(Finding.failure("data folder", folder + " has no parent", "give another --data-dir"));
        }
        List<Finding> findings = new ArrayList<>();
        try {
            if (!Files.isDirectory(there)) {
                return List.of(Finding.failure(
                        "data folder", there + " is a file", "move it away, or give another --data-dir"));
            }
            String type = Files.getFileStore(there).type();
            findings.add(freeSpace(folder, Files.getFileStore(there).getUsableSpace()));
            findings.add(fileSystem(type));
            findings.add(syncs(there));
        } catch (IOException unusable) {
            findings.add(Finding.failure(
                    "data folder",
                    folder + " cannot be written: " + DiskFault.text(unusable),
                    "or give another --data-dir"));
        }
        return findings;
    }

    static Finding freeSpace(Path folder, long bytes) {
        String found = String.format(Locale.ROOT, "%,d MB free for %s", bytes >> 20, folder);
        if (bytes < FREE_FAIL) {
            return Finding.failure("disk space", found, "free some, or give a --data-dir on another disk");
        }
        return bytes < FREE_WARN
                ? Finding.warning("disk space", found, "free some; the spool and the history may need gigabytes")
                : Finding.ok("disk space", found);
    }

    static Finding fileSystem(String type) {
        String name = type.toLowerCase(Locale.ROOT);
        if (SHARED_DISKS.stream().anyMatch(name::startsWith)) {
            return Finding.failure(
                    "file system",
                    type + " may be shared, and SQLite's write-ahead log needs a local disk",
                    "give a --data-dir on a local disk");
        }
        return name.equals("tmpfs") || name.equals("ramfs")
                ? Finding.warning(
                        "file system",
                        type + " is in memory, so counts are lost at a reboot",
                        "give a --data-dir on a disk")
                : Finding.ok("file system", type);
    }

    private Finding syncs(Path folder) throws IOException {
        // A name of its own: what is there already, or a link that someone has put there, stays as it is.
        Path probe = Files.createTempFile(folder, "doctor", ".probe");
        long worst = 0;
        try (FileChannel file = FileChannel.open(probe, StandardOpenOption.WRITE, StandardOpenOption.DELETE_ON_CLOSE)) {
            for (int sync = 0; sync < SYNCS; sync++) {
                long begin = nanoClock.getAsLong();
                file.write(ByteBuffer.allocate(PROBE_BYTES));
                file.force(true);
                worst = Math.max(worst, nanoClock.getAsLong() - begin);
            }
        }
        return syncs(TimeUnit.NANOSECONDS.toMillis(worst));
    }

    static Finding syncs(long worstMillis) {
        return worstMillis < SYNC_WARN_MILLIS
                ? Finding.ok("disk sync", "at most " + worstMillis + " ms")
                : Finding.warning(
                        "disk sync",
                        "up to " + worstMillis + " ms, so commits are late",
                        "use a faster or less busy disk; counting continues meanwhile");
    }

    // The ledger

    static Finding ledger(LedgerInspection ledger) {
        String problem = ledger.problem();
        if (!ledger.isThere()) {
            return Finding.ok("ledger", ledger.file() + " does not exist yet; the collector creates it");
        }
        if (ledger.isInUse()) {
            return Finding.ok(
                    "ledger", ledger.file() + " is in use by a running collector, which checked it when it started");
        }
        if (problem != null) {
            return Finding.failure(
                    "ledger",
                    ledger.file() + ": " + problem,
                    "keep the file, and restore a backup (command restore); a damaged ledger is set aside at the next start, and a new one"
                            + " begins at 0");
        }
        if (ledger.isShared()) {
            return Finding.failure(
                    "ledger",
                    ledger.file() + " has shared names with peers, and this version has none",
                    LedgerFile.WAY_OVER);
        }
        return Finding.ok(
                "ledger",
                String.format(
                        Locale.ROOT,
                        "%s: format %d%s, %,d counters, %,d senders with totals, not damaged",
                        ledger.file(),
                        ledger.format(),
                        ledger.isOlder() ? " (the next start copies and converts it)" : "",
                        ledger.counters(),
                        ledger.streams()));
    }

    static List<Finding> fleet(FleetSettings fleet) {
        try (FleetCheck check = new FleetCheck(fleet)) {
            FleetReport report = check.look();
            return fleet(fleet, report, report.isReady() ? check.members().orElse(List.of()) : List.of());
        }
    }

    static List<Finding> fleet(FleetSettings fleet, FleetReport report, List<Member> collectors) {
        List<Finding> findings = new ArrayList<>();
        fleet.remarks().forEach(remark -> findings.add(Finding.warning("settings", remark, "correct or remove it")));
        report.faults().forEach(fault -> findings.add(Finding.failure("fleet", fault.found(), fault.remedy())));
        report.remarks().forEach(remark -> findings.add(Finding.warning("fleet", remark.found(), remark.remedy())));
        if (report.faults().isEmpty()) {
            String topics = report.absent().isEmpty()
                    ? "topics with " + report.partitions() + " partitions"
                    : String.join(", ", report.absent()) + " do not exist yet; the collector creates them";
            findings.add(Finding.ok("fleet", fleet + ": brokers: " + report.brokers() + "; " + topics));
            findings.add(Finding.ok("collectors", collectors(fleet.instance(), collectors)));
        }
        return findings;
    }

    private static String collectors(String instance, List<Member> collectors) {
        return (collectors.isEmpty() ? "none in the fleet" : "in the fleet: ")
                + collectors.stream().map(Member::name).collect(Collectors.joining(", "))
                + collectors.stream()
                        .filter(one -> one.name().equals(instance))
                        .map(same -> "; " + instance + " is at " + same.host()
                                + ", and if that is another collector, give this one another --instance")
                        .collect(Collectors.joining());
    }

    // Memory

    static Finding heap(long heapBytes, long namesBytes, int streamsMax) {
        String found = String.format(
                Locale.ROOT,
                "%,d MB, of which %,d MB are for counters, and %,d senders with totals fit",
                heapBytes >> 20,
                namesBytes >> 20,
                streamsMax);
        return heapBytes >= 128L << 20
                ? Finding.ok("heap", found)
                : Finding.warning("heap", found, "start the collector with at least -Xmx128m");
    }

    // The store and the sinks

    List<Finding> store(StoreSettings storing) {
        if (!storing.isShared()) {
            return List.of(Finding.ok("store", "none is set"));
        }
        Store opened = storing.open(nanoClock);
        try (Store store = opened) {
            String stamp = store.stamp(STAMP);
            List<Finding> findings = new ArrayList<>();
            findings.add(Finding.ok(
                    "store", store + " answers" + (stamp == null ? "" : ", and a collector has written there")));
            for (Store.Server server : store.servers()) {
                findings.add(
                        server.loses()
                                ? Finding.warning(
                                        "store memory",
                                        server.text() + ", so keys will be lost when it is full",
                                        "raise its memory, or set Redis' maxmemory-policy to noeviction")
                                : Finding.ok("store memory", server.text()));
            }
            return findings;
        } catch (IOException unanswered) {
            return List.of(Finding.failure(
                    "store",
                    opened + " does not answer: " + unanswered.getMessage(),
                    "start it, or correct --store and its login; counts are kept meanwhile"));
        }
    }

    List<Finding> sinks(PublishSettings publishing) {
        if (publishing.targets().isEmpty()) {
            return List.of(Finding.ok("OpenTSDB", "none is set"));
        }
        return publishing.targets().stream()
                .map(target -> target.kind() == SinkAddress.Kind.OPENTSDB ? openTsdb(target.url()) : receiver(target))
                .toList();
    }

    private Finding openTsdb(HttpUrl address) {
        HttpResponse<String> version = http.ask(
                address.newBuilder().addPathSegments("api/version").build().toString());
        if (version == null) {
            return Finding.failure(
                    "OpenTSDB",
                    address + " does not answer within " + HttpProbe.ANSWER.toSeconds() + " s",
                    "start it, or correct the address; points wait in the spool meanwhile");
        }
        return version.statusCode() == HttpProbe.OK
                ? Finding.ok("OpenTSDB", address + " answers")
                : Finding.warning(
                        "OpenTSDB",
                        address + " answers /api/version with status " + version.statusCode(),
                        "check that it is OpenTSDB, or a server that accepts /api/put");
    }

    /** Sends a request without points. */
    private Finding receiver(SinkAddress sink) {
        SinkAddress.Probe probe = sink.probe();
        HttpResponse<String> answer = http.post(sink.url().toString(), probe.headers(), probe.body());
        if (answer == null) {
            return Finding.failure(
                    "sink",
                    sink + " does not answer within " + HttpProbe.ANSWER.toSeconds() + " s",
                    "start it, or correct the address; points wait in the spool meanwhile");
        }
        int status = answer.statusCode();
        if (status / 100 == 2) {
            return Finding.ok("sink", sink + " accepts requests");
        }
        boolean isLogin = status == 401 || status == 403;
        return Finding.failure(
                "sink",
                sink + " answers a request without points with status " + status,
                isLogin
                        ? "give its login in the file of --sink-headers"
                        : "check that the whole address is that of a receiver, and that it is switched on there");
    }
}
