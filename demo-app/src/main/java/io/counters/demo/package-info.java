/**
 * A small web shop that counts in every available way, and the end-to-end tests of all parts together.
 *
 * <pre>
 *   Customer --HTTP--> ShopFront --> Carts, Orders --> Payments, Warehouse
 *       |
 *       +--> Tally     the expected values of the counters, computed from the answers
 * </pre>
 *
 * <p>{@code @Count} counts requests, orders and payments; {@link io.counters.Counters} counts carts, cents and stock;
 * a rule in the agent's settings file, {@code shop.counters}, counts {@link io.counters.demo.Warehouse}. The shop also
 * runs without the agent and without a collector.
 *
 * <p>{@link io.counters.demo.Shop} assembles the shop, and is the only class that creates threads. {@link
 * io.counters.demo.Watch} and {@link io.counters.demo.FreePorts} are for {@code bin/demo}, {@link
 * io.counters.demo.FleetWatch} and {@link io.counters.demo.Spreader} for {@code bin/fleet-demo}; the scripts require only a
 * JDK.
 */
@NullMarked
package io.counters.demo;

import org.jspecify.annotations.NullMarked;
