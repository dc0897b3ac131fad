package io.counters.demo;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ShopFrontTest {
    private final HttpClient web = HttpClient.newHttpClient();
    private final ExecutorService threads = Executors.newFixedThreadPool(2);
    private final Carts carts = new Carts();
    private boolean declined;
    private ShopFront shop;

    @BeforeEach
    void open() throws Exception {
        Random bank = new Random() {
            @Override
            public int nextInt(int bound) {
                return declined ? 0 : 1;
            }
        };
        shop = new ShopFront(0, threads, carts, new Orders(carts, new Payments(bank), new Warehouse()));
    }

    @AfterEach
    void close() {
        shop.close();
        threads.shutdownNow();
    }

    @Test
    void a_filled_and_paid_cart_becomes_an_order() throws Exception {
        assertThat(post("carts").statusCode()).isEqualTo(201);
        post("carts/1/pieces");
        assertThat(post("carts/1/pieces").body()).contains("cart 1\npieces 2\n").contains("action=/carts/1/card");

        HttpResponse<String> receipt = post("carts/1/card");

        assertThat(receipt.statusCode()).isEqualTo(201);
        assertThat(receipt.body()).contains("pieces 2\ncents 2500\ndelivered 0\nlabels ");
        assertThat(post("carts/1/card").statusCode()).isEqualTo(404);
    }

    @Test
    void a_declined_card_makes_no_order_and_an_invoice_needs_no_bank() throws Exception {
        declined = true;
        for (int cart = 1; cart <= 2; cart++) {
            post("carts");
            post("carts/" + cart + "/pieces");
        }

        assertThat(post("carts/1/card").statusCode()).isEqualTo(402);
        assertThat(post("carts/2/invoice").statusCode()).isEqualTo(201);
    }

    @Test
    void an_invoice_has_a_limit() throws Exception {
        post("carts");
        for (int piece = 0; piece < 5; piece++) {
            post("carts/1/pieces");
        }

        assertThat(post("carts/1/invoice").body()).contains("invoices go up to 5000 cents, this is 6250");
    }

    @Test
    void an_empty_cart_cannot_be_ordered() throws Exception {
        post("carts");

        assertThat(post("carts/1/card").statusCode()).isEqualTo(409);
    }

    @Test
    void an_abandoned_cart_is_gone() throws Exception {
        post("carts");

        assertThat(post("carts/1/abandon").statusCode()).isEqualTo(200);
        assertThat(post("carts/1/pieces").statusCode()).isEqualTo(404);
    }

    @Test
    void a_new_cart_is_refused_when_all_carts_are_in_use() throws Exception {
        for (int i = 0; i < Carts.OPEN_MAX; i++) {
            carts.open();
        }

        assertThat(post("carts").statusCode()).isEqualTo(503);
    }

    @Test
    void other_pages_do_not_exist() throws Exception {
        assertThat(post("").statusCode()).isEqualTo(404);
        assertThat(post("carts/1/steal").statusCode()).isEqualTo(404);
        assertThat(post("carts/99999999999999999999999/card").statusCode()).isEqualTo(404);
    }

    private HttpResponse<String> post(String path) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(shop.address().resolve(path))
                .POST(HttpRequest.BodyPublishers.noBody())
                .build();
        return web.send(request, HttpResponse.BodyHandlers.ofString());
    }
}
