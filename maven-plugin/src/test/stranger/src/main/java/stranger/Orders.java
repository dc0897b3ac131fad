package stranger;

import io.counters.Count;

/** Is woven when the project is built. */
public class Orders {
    @Count(value = "orders.placed", when = Count.When.RETURN)
    public int place(int order) {
        return order;
    }
}
