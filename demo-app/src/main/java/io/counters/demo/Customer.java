package io.counters.demo;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Shops over HTTP, with one random request per step, and tallies what was done according to the answers. Not
 * thread-safe.
 */
final class Customer {
    private static final int CARTS_MAX = 10;
    private static final Duration TIMEOUT = Duration.ofSeconds(10);

    /**
     * Each customer has its own client. On Java 17, a client that threads share sends about one in 100,000 requests over a
     * closed connection, and does not send a POST again.
     */
    private final HttpClient web =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    private final URI shop;
    private final Random chance;
    private final Tally tally;
    private final List<Long> carts = new ArrayList<>();
    private int placed;

    Customer(URI shop, Random chance, Tally tally) {
        this.shop = shop;
        this.chance = chance;
        this.tally = tally;
        tally.add("requests.open", 0);
        tally.add("payments.open", 0);
    }

    /** The number of orders that the shop accepted. */
    int placed() {
        return placed;
    }

    /** Makes one request. */
    void step() throws IOException, InterruptedException {
        if (carts.isEmpty() || (carts.size() < CARTS_MAX && chance.nextInt(5) == 0)) {
            open();
            return;
        }
        int at = chance.nextInt(carts.size());
        switch (chance.nextInt(16)) {
            case 0 -> abandon(carts.remove(at));
            case 1 -> order(carts.remove(at), "invoice");
            case 2, 3 -> order(carts.remove(at), "card");
            default -> post("carts/" + carts.get(at) + "/pieces");
        }
    }

    private void open() throws IOException, InterruptedException {
        HttpResponse<String> cart = post("carts");
        if (cart.statusCode() == 503) {
            tally.add("carts.turned_away", 1);
            return;
        }
        carts.add(fact("cart", cart));
        tally.add("carts.opened", 1);
        tally.add("carts.open", 1);
    }

    private void abandon(long cart) throws IOException, InterruptedException {
        post("carts/" + cart + "/abandon");
        tally.add("carts.open", -1);
        tally.add("carts.abandoned", 1);
    }

    private void order(long cart, String payment) throws IOException, InterruptedException {
        HttpResponse<String> receipt = post("carts/" + cart + "/" + payment);
        tally.add("carts.open", -1);
        boolean empty = receipt.statusCode() == 409;
        tally.add("payments.tried,method=" + payment, empty ? 0 : 1);
        if (receipt.statusCode() != 201) {
            tally.add("payments.failed,method=" + payment, empty ? 0 : 1);
            tally.add("orders.refused", 1);
            return;
        }
        placed++;
        tally.add("orders.placed", 1);
        tally.add("orders.cents,currency=eur", fact("cents", receipt));
        tally.add("labels.printed", 2);
        tally.add("warehouse.picked", 1);
        tally.add("stock.balance", fact("delivered", receipt) - fact("pieces", receipt));
    }

    private HttpResponse<String> post(String path) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(shop.resolve(path))
                .POST(HttpRequest.BodyPublishers.noBody())
                .timeout(TIMEOUT)
                .build();
        HttpResponse<String> response = web.send(request, HttpResponse.BodyHandlers.ofString());
        tally.add("requests", 1);
        tally.add("requests.errors", response.statusCode() >= 400 ? 1 : 0);
        return response;
    }

    private static long fact(String name, HttpResponse<String> page) throws IOException {
        Matcher line = Pattern.compile("(?m)^" + name + " (\\d+)$").matcher(page.body());
        if (!line.find()) {
            throw new IOException(
                    page.uri() + " answered " + page.statusCode() + " without a line \"" + name + " NUMBER\"");
        }
        return Long.parseLong(line.group(1));
    }
}
