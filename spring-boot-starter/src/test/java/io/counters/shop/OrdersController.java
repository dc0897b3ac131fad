package io.counters.shop;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import org.springframework.http.HttpStatus;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

@RestController
public class OrdersController {
    private final Orders orders;

    OrdersController(Orders orders) {
        this.orders = orders;
    }

    @GetMapping("/place")
    ResponseEntity<String> place(@RequestParam("cents") int cents) {
        try {
            orders.place(cents);
            return ResponseEntity.ok("placed");
        } catch (IllegalArgumentException refused) {
            return ResponseEntity.status(HttpStatus.BAD_REQUEST).body(refused.getMessage());
        }
    }

    /** Connects to a port, and places an order once the program there has closed the connection. */
    @GetMapping("/place-later")
    String placeLater(@RequestParam("cents") int cents, @RequestParam("port") int port) throws IOException {
        try (Socket test = new Socket(InetAddress.getLoopbackAddress(), port)) {
            int end = test.getInputStream().read();
            orders.place(cents);
            return "placed after " + end;
        }
    }
}
