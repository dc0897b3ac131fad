package shop;

import io.counters.Count;
import io.counters.Counters;

/** A program that counts without the agent. */
public class Orders {
    public static void main(String[] arguments) throws Exception {
        try (AutoCloseable sending = Counters.start(arguments[0])) {
            Orders orders = new Orders();
            for (int i = 0; i < 10; i++) {
                orders.place(i);
            }
            orders.ship();
        }
    }

    @Count(value = "orders.placed", when = Count.When.RETURN)
    int place(int order) {
        return order;
    }

    void ship() {}
}
