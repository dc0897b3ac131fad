/**
 * Writes and reads the datagrams that services send to a collector.
 *
 * <p>They are plain text, sent over UDP to port 11212, without a reply. The same lines are accepted on a TCP stream. A
 * sender without a library needs only {@code increment NAME}.
 *
 * <pre>
 *   datagram = [ signed LF ] [ from LF ] command *( LF command ) [ LF ]   ; CRLF is read as LF
 *   signed   = "signed" SP key-id SP time SP mac        ; first line only, refused on TCP; time in Unix milliseconds
 *   from     = "from" SP sender SP age SP seq           ; the stream to which the lines below belong
 *   command  = verb SP name [ SP amount [ SP total ] ]
 *   verb     = "increment" / "decrement"
 *   amount   = 0 to 2^53                                ; 1 if left out
 *   total    = 0 to 2^63-1, never less than amount      ; sum of this verb for this name in this stream
 *   sender   = 16 to 64 of A-Z a-z 0-9 . _ : / -
 *   age      = milliseconds since the stream began
 *   seq      = number of this datagram in its stream, from 1
 *   name     = metric *( "," key "=" value )            ; of A-Z a-z 0-9 - _ . /; at most 7 tags, 250 bytes
 *
 *   from 8f2c6a1e0b7d4c93a5e1f07b 61000 58
 *   increment orders.placed 3 1207
 *   decrement carts.open 2 880
 * </pre>
 *
 * <p>Any other line with a colon is read as a StatsD counter line: {@code name:3|c}, {@code name:-1|c},
 * {@code name:1|c|@0.1}, {@code name:1|c|#tag:value,tag:value}; see {@link io.counters.wire.StatsdLine}. Its name may
 * be cleaned, by the table of {@link io.counters.wire.StatsdName}; names in commands are never cleaned.
 *
 * <p>The signed line contains a MAC over all other lines: {@link io.counters.wire.SignedLine} and {@link
 * io.counters.wire.DatagramMac} have its form, {@link io.counters.wire.KeyLines} that of a file with keys. A collector with
 * keys checks it before it reads anything else.
 *
 * <p>A line that breaks a rule is rejected alone, with its {@link io.counters.wire.Rejection}. {@link
 * io.counters.wire.ForeignProtocol} recognizes HTTP, which a web page can make a browser send to any port. This package
 * contains pure functions over bytes: no sockets, no clock, no logging. All code that reads or writes names or lines
 * calls it.
 *
 * <p>Internal: any release may change it.
 */
package io.counters.wire;
