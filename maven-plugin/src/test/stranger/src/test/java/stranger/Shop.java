package stranger;

import io.counters.Count;
import io.counters.Counters;

/** A program that runs with the agent. Classes of tests are not woven, so the agent counts here. */
public class Shop {
    public static void main(String[] arguments) {
        Orders orders = new Orders();
        for (int i = 0; i < 10; i++) {
            ship(orders.place(i));
        }
        Counters.add("orders.cents,currency=eur", 1999);
    }

    @Count("orders.shipped")
    static void ship(int order) {}
}
