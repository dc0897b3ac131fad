package io.counters.demo;

import io.counters.Count;
import java.util.Random;

/** Collects payments; one card in {@value #DECLINED_ONE_IN} is declined. All methods may be called from any thread. */
final class Payments {
    static final int DECLINED_ONE_IN = 10;
    static final int INVOICE_CENTS_MAX = 5000;

    private final Random luck;

    Payments(Random luck) {
        this.luck = luck;
    }

    @Count(value = "payments.tried,method=card", errors = "payments.failed,method=card", inFlight = "payments.open")
    void byCard(int cents) throws Refused {
        if (luck.nextInt(DECLINED_ONE_IN) == 0) {
            throw new Refused(402, "the bank declined " + cents + " cents");
        }
    }

    @Count(value = "payments.tried,method=invoice", errors = "payments.failed,method=invoice")
    void byInvoice(int cents) throws Refused {
        if (cents > INVOICE_CENTS_MAX) {
            throw new Refused(402, "invoices go up to " + INVOICE_CENTS_MAX + " cents, this is " + cents);
        }
    }
}
