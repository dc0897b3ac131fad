package io.counters.collector.ledger;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.counters.ring.KetamaHash;
import io.counters.ring.KetamaRing;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import org.jspecify.annotations.Nullable;

/**
 * The numbered list of the collectors that share the names, the same on all of them: each name belongs to one, by the
 * ring of their addresses. Immutable; but {@link #owner} is for one thread at a time.
 */
public final class PeerList {
    private static final String OUT = "out";
    private static final String GONE = "gone";

    private final long number;
    private final List<Peer> peers;
    private final List<String> addresses;
    private final List<String> out;
    private final List<String> gone;
    private final int digest;
    private final KetamaRing ring;
    private final KetamaHash hash = new KetamaHash();

    /** One collector: its address as in the list, which identifies its ledger, and its weight on the ring, from 1. */
    public record Peer(String address, long weight) {}

    /**
     * Creates a list.
     *
     * @param number from 1; increases with every change
     * @param peers at least one, each address once
     * @param out addresses of collectors that own nothing any more, but may have something to hand over
     * @param gone addresses of former peers whose ledgers are lost
     */
    public PeerList(long number, List<Peer> peers, List<String> out, List<String> gone) {
        this.number = number;
        this.peers = List.copyOf(peers);
        this.out = List.copyOf(out);
        this.gone = List.copyOf(gone);
        addresses = peers.stream().map(Peer::address).toList();
        ring = new KetamaRing(addresses, peers.stream().mapToLong(Peer::weight).toArray());
        CRC32 crc = new CRC32();
        crc.update(text().getBytes(ISO_8859_1));
        digest = (int) crc.getValue();
    }

    /** Reads what {@link #text} wrote. */
    static PeerList of(long number, String text) {
        List<Peer> peers = new ArrayList<>();
        List<String> out = new ArrayList<>();
        List<String> gone = new ArrayList<>();
        for (String entry : text.split(";", -1)) {
            int star = entry.lastIndexOf('*');
            String address = entry.substring(0, star);
            switch (entry.substring(star + 1)) {
                case OUT -> out.add(address);
                case GONE -> gone.add(address);
                default -> peers.add(new Peer(address, Long.parseLong(entry.substring(star + 1))));
            }
        }
        return new PeerList(number, peers, out, gone);
    }

    public long number() {
        return number;
    }

    /** Distinguishes two lists that have the same number by mistake. */
    public int digest() {
        return digest;
    }

    /** All addresses, in the order of the list. */
    public List<String> addresses() {
        return addresses;
    }

    /** Addresses of collectors that own nothing any more, but may have something to hand over. */
    public List<String> out() {
        return out;
    }

    /** Addresses of collectors that are lost and will never hand anything over. */
    public List<String> gone() {
        return gone;
    }

    /** The place of the collector that owns the name {@code in[begin, end)}, which is canonical. */
    int owner(byte[] in, int begin, int end) {
        return ring.owner(in, begin, end, hash);
    }

    /** The places of the owners of the names {@code names[begin, end)}. */
    int[] owners(byte[][] names, int begin, int end) {
        KetamaHash own = new KetamaHash();
        int[] owners = new int[end - begin];
        for (int i = begin; i < end; i++) {
            owners[i - begin] = ring.owner(names[i], 0, names[i].length, own);
        }
        return owners;
    }

    /** The address at a place. */
    String address(int place) {
        return addresses.get(place);
    }

    /** Whether both lists have the same number and the same entries. */
    public boolean isSame(@Nullable PeerList other) {
        return other != null && other.number == number && other.digest == digest;
    }

    /** The list in one line, without its number: {@code ADDRESS*WEIGHT;ADDRESS*out;ADDRESS*gone}. */
    String text() {
        return Stream.of(
                        peers.stream().map(peer -> peer.address + "*" + peer.weight),
                        out.stream().map(address -> address + "*" + OUT),
                        gone.stream().map(address -> address + "*" + GONE))
                .flatMap(Function.identity())
                .collect(Collectors.joining(";"));
    }

    /** The list as the log shows it. */
    @Override
    public String toString() {
        return "list " + number + " (" + text() + ")";
    }
}
