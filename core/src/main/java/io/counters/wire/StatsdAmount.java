package io.counters.wire;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.math.BigDecimal;
import java.math.RoundingMode;
import org.jspecify.annotations.Nullable;

/**
 * What a StatsD line adds: the sum of its values, each divided by the sample rate. Counts in steps of 10^-18, because
 * senders write decimals: 0.1 is exact, so five of them are exactly one half; in binary steps they would be less. A
 * value with more digits, such as a third, is rounded up to the next step. The sum of a billion such lines is too high
 * by at most a billionth of a count, and a sum that is exactly one half never becomes less.
 *
 * <p>Reused for each line, so each thread needs its own. Never throws. Allocates nothing, except for numbers that do
 * not fit into long arithmetic, of more than about 18 digits.
 */
final class StatsdAmount {
    private static final int STEP_DIGITS = 18;
    private static final long[] TENS = new long[STEP_DIGITS + 1];

    /** The largest number by which each of {@link #TENS} can be multiplied without overflow. */
    private static final long[] MOST = new long[STEP_DIGITS + 1];

    /** Exponents are limited to this in both directions: beyond it a number is too large, or far less than a step. */
    private static final int EXPONENT_MAX = 9999;

    static {
        for (int i = 0; i < TENS.length; i++) {
            TENS[i] = i == 0 ? 1 : 10 * TENS[i - 1];
            MOST[i] = Long.MAX_VALUE / TENS[i];
        }
    }

    /** Whole counts: the sum, rounded down if there is a rest. */
    long integer;

    /** The fraction above that, in steps: 0 or more, and less than {@link Commands#ONE}. */
    long rest;

    /** The number that was read: {@code digits * 10^(tens - decimals)}, with this sign. */
    private boolean isNegative;

    /** Whether the number has too many digits for {@link #digits}. */
    private boolean isLong;

    private long digits;
    private int decimals;
    private int tens;

    /** Where its digits end; an {@code e} may follow. */
    private int digitsEnd;

    private long rateDigits;
    private int rateExponent;
    private @Nullable BigDecimal longRate;

    /** Begins a line; its sample rate is 1 until {@link #rate} is called. */
    void clear() {
        integer = 0;
        rest = 0;
        rateDigits = 1;
        rateExponent = 0;
        longRate = null;
    }

    /** Reads the sample rate, which must be read before the values; returns the rule that it breaks, or null. */
    @Nullable
    Rejection rate(byte[] in, int begin, int end) {
        if (!read(in, begin, end) || isNegative) {
            return Rejection.STATSD_RATE;
        }
        if (isLong) {
            longRate = number(in, begin);
            return longRate.signum() == 0 || longRate.compareTo(BigDecimal.ONE) > 0 ? Rejection.STATSD_RATE : null;
        }
        rateDigits = digits;
        rateExponent = tens - decimals;
        boolean isAboveOne = rateExponent > 0 || (rateExponent >= -STEP_DIGITS && digits > TENS[-rateExponent]);
        return digits == 0 || isAboveOne ? Rejection.STATSD_RATE : null;
    }

    /** Adds the values {@code 1:2:3}; returns the rule that one of them breaks, or null. */
    @Nullable
    Rejection values(byte[] in, int begin, int end) {
        for (int at = begin; at <= end; at++) {
            int value = at;
            at = CommandReader.find(in, at, end, (byte) ':');
            if (!read(in, value, at)) {
                return Rejection.STATSD_VALUE;
            }
            if (!add(in, value)) {
                return Rejection.AMOUNT_TOO_LARGE;
            }
        }
        return null;
    }

    /** Reads a decimal: {@code 2}, {@code -2.50}, {@code +.5}, {@code 1e3}. */
    private boolean read(byte[] in, int begin, int end) {
        int at = begin;
        isNegative = at < end && in[at] == '-';
        if (isNegative || (at < end && in[at] == '+')) {
            at++;
        }
        isLong = false;
        digits = 0;
        decimals = 0;
        tens = 0;
        boolean hasDigits = false;
        boolean hasPoint = false;
        for (; at < end; at++) {
            int digit = in[at] - '0';
            if (digit >= 0 && digit <= 9) {
                hasDigits = true;
                isLong |= digits >= TENS[STEP_DIGITS - 1];
                if (!isLong) {
                    digits = 10 * digits + digit;
                    decimals += hasPoint ? 1 : 0;
                }
            } else if (in[at] == '.' && !hasPoint) {
                hasPoint = true;
            } else {
                break;
            }
        }
        digitsEnd = at;
        return hasDigits && (at == end || readTens(in, at, end));
    }

    /** {@code e3}, {@code E-3} */
    private boolean readTens(byte[] in, int begin, int end) {
        int at = begin + 1;
        boolean isBelow = at < end && in[at] == '-';
        if (isBelow || (at < end && in[at] == '+')) {
            at++;
        }
        boolean isGood = (in[begin] == 'e' || in[begin] == 'E') && at < end;
        for (; isGood && at < end; at++) {
            int digit = in[at] - '0';
            isGood = digit >= 0 && digit <= 9;
            tens = Math.min(10 * tens + digit, EXPONENT_MAX);
        }
        tens = isBelow ? -tens : tens;
        return isGood;
    }

    /** Adds the number that was read, divided by the rate; false if the result is too large for a line. */
    private boolean add(byte[] in, int begin) {
        int power = tens - decimals - rateExponent;
        if (isLong || longRate != null || Math.abs(power) > STEP_DIGITS) {
            return addLong(in, begin);
        }
        int up = Math.max(0, power);
        int down = Math.max(0, -power);
        if (digits > MOST[up] || rateDigits > MOST[down] / 10) {
            return addLong(in, begin);
        }
        long dividend = digits * TENS[up];
        long divisor = rateDigits * TENS[down];
        // A division takes longer than everything else here.
        long quotient = divisor == 1 ? dividend : dividend / divisor;
        long remainder = dividend - quotient * divisor;
        if (quotient > CommandReader.AMOUNT_MAX || (quotient == CommandReader.AMOUNT_MAX && remainder != 0)) {
            return false;
        }
        long fraction = remainder == 0 ? 0 : fraction(remainder, divisor);
        if (!isNegative) {
            sum(quotient, fraction);
        } else if (fraction == 0) {
            sum(-quotient, 0);
        } else {
            sum(-quotient - 1, Commands.ONE - fraction);
        }
        return true;
    }

    /** The fraction of a division, in steps. A remainder below a step is rounded up: for negative numbers, toward zero. */
    private long fraction(long remainder, long divisor) {
        int atOnce = STEP_DIGITS;
        while (divisor > MOST[atOnce]) {
            atOnce--;
        }
        long fraction = 0;
        long undivided = remainder;
        for (int left = STEP_DIGITS; left > 0; left -= atOnce) {
            long ten = TENS[Math.min(atOnce, left)];
            long steps = undivided * ten / divisor;
            undivided = undivided * ten - steps * divisor;
            fraction = fraction * ten + steps;
        }
        return undivided != 0 && !isNegative ? fraction + 1 : fraction;
    }

    private void sum(long integerMore, long restMore) {
        integer += integerMore;
        rest += restMore;
        if (rest >= Commands.ONE) {
            rest -= Commands.ONE;
            integer++;
        }
    }

    private boolean addLong(byte[] in, int begin) {
        BigDecimal value = number(in, begin);
        if (value.signum() == 0) {
            return true;
        }
        BigDecimal rate = longRate != null ? longRate : BigDecimal.valueOf(rateDigits, -rateExponent);
        long order = order(value) - order(rate);
        if (order > STEP_DIGITS) {
            return false;
        }
        if (order < -STEP_DIGITS - 1) {
            // Less than a step: rounded up.
            sum(0, isNegative ? 0 : 1);
            return true;
        }
        BigDecimal quotient = value.divide(rate, STEP_DIGITS, RoundingMode.CEILING);
        if (quotient.abs().compareTo(BigDecimal.valueOf(CommandReader.AMOUNT_MAX)) > 0) {
            return false;
        }
        BigDecimal below = quotient.setScale(0, RoundingMode.FLOOR);
        sum(
                below.longValueExact(),
                quotient.subtract(below).movePointRight(STEP_DIGITS).longValueExact());
        return true;
    }

    /** The number that was read, whose text begins here. */
    private BigDecimal number(byte[] in, int begin) {
        return new BigDecimal(new String(in, begin, digitsEnd - begin, ISO_8859_1)).scaleByPowerOfTen(tens);
    }

    /** The number of digits before the point; for a number below 0.1, minus the number of zeros after the point. */
    private static long order(BigDecimal number) {
        return (long) number.precision() - number.scale();
    }
}
