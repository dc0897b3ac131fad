/**
 * A small web shop that counts in each of the ways there are, and the end-to-end tests of all parts together.
 *
 * <pre>
 *   Customer --HTTP--> ShopFront --> Carts, Orders --> Payments, Warehouse
 *       |
 *       +--> Tally     what the answers said: what the counters must come to, reckoned without them
 * </pre>
 *
 * <p>{@code @Count} counts requests, orders and payments; {@link io.counters.Counters} counts carts, cents and stock;
 * a rule in the agent's settings file, {@code shop.counters}, counts {@link io.counters.demo.Warehouse}. The shop runs
 * just the same without the agent and without a collector.
 *
 * <p>{@link io.counters.demo.Shop} assembles and is the only one to name threads. {@link io.counters.demo.Watch} and
 * {@link io.counters.demo.FreePorts} are for {@code bin/demo}, which can count on a JDK only.
 */
@NullMarked
package io.counters.demo;

import org.jspecify.annotations.NullMarked;
