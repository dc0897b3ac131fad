/**
 * The datagram: what travels from a service to a collector, written and read in this one place.
 *
 * <p>UDP to port 11212, plain text, no reply; the same lines are accepted on a TCP stream. The whole protocol of a
 * sender without a library is {@code increment NAME}.
 *
 * <pre>
 *   datagram = [ signed LF ] [ from LF [ peer LF ] ] command *( LF command ) [ LF ]   ; CRLF is taken for LF
 *   signed   = "signed" SP key-id SP time SP mac        ; first line only; refused on TCP
 *   from     = "from" SP sender SP age SP seq           ; the stream the lines below belong to
 *   command  = verb SP name [ SP amount [ SP total ] ]
 *   verb     = "increment" / "decrement"
 *   amount   = 0 to 2^53                                ; 1 when left out
 *   total    = 0 to 2^63-1, never less than amount      ; all of this verb for this name in this stream
 *   sender   = 16 to 64 of A-Z a-z 0-9 . _ : / -
 *   age      = milliseconds since the stream began
 *   seq      = number of this datagram in its stream, from 1
 *   peer     = "peer" SP kind SP list SP digest SP address SP sum     ; between collectors only
 *   kind     = "relay" / "handing" / "handover" / "whole" ; see PeerLine
 *   list     = number of the list of peers its sender goes by; digest = CRC-32 of that list, 8 hex digits
 *   address  = its sender's, as on that list; sum = of all the stream's totals, modulo 2^63
 *   name     = metric *( "," key "=" value )            ; letters A-Z a-z 0-9 - _ . /, 7 tags, 250 bytes at most
 *
 *   from 8f2c6a1e0b7d4c93a5e1f07b 61000 58
 *   increment orders.placed 3 1207
 *   decrement carts.open 2 880
 * </pre>
 *
 * <p>A line with a colon that is none of these is read as a StatsD counter line: {@code name:3|c}, {@code name:-1|c},
 * {@code name:1|c|@0.1}, {@code name:1|c|#tag:value,tag:value}; see {@link io.counters.wire.StatsdLine}. Its name may be
 * cleaned, by {@link io.counters.wire.StatsdName}'s table; our own commands never are.
 *
 * <p>A line that breaks a rule is rejected alone, with its {@link io.counters.wire.Rejection}. Pure functions over
 * bytes: no sockets, no clock, no logging. Called by everything that reads or writes names or lines. {@link
 * io.counters.wire.ForeignProtocol} recognizes HTTP, which a web page can have a browser send to any port.
 */
package io.counters.wire;
