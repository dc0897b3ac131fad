package io.counters.collector.query;

/** The value of a time series at a time between two of its points, when several series are aggregated. */
enum Interpolation {
    /** The value on the straight line between the two. */
    LINE {
        @Override
        long integer(long x, long x0, long y0, long x1, long y1) {
            return y0 + (x - x0) * (y1 - y0) / (x1 - x0);
        }

        @Override
        double real(long x, long x0, double y0, long x1, double y1) {
            return y0 + (x - x0) * (y1 - y0) / (x1 - x0);
        }
    },
    ZERO {
        @Override
        long integer(long x, long x0, long y0, long x1, long y1) {
            return 0;
        }

        @Override
        double real(long x, long x0, double y0, long x1, double y1) {
            return 0;
        }
    },
    MOST {
        @Override
        long integer(long x, long x0, long y0, long x1, long y1) {
            return Long.MAX_VALUE;
        }

        @Override
        double real(long x, long x0, double y0, long x1, double y1) {
            return Double.MAX_VALUE;
        }
    },
    LEAST {
        @Override
        long integer(long x, long x0, long y0, long x1, long y1) {
            return Long.MIN_VALUE;
        }

        @Override
        double real(long x, long x0, double y0, long x1, double y1) {
            return -Double.MAX_VALUE;
        }
    },
    PREVIOUS {
        @Override
        long integer(long x, long x0, long y0, long x1, long y1) {
            return y0;
        }

        @Override
        double real(long x, long x0, double y0, long x1, double y1) {
            return y0;
        }
    };

    abstract long integer(long x, long x0, long y0, long x1, long y1);

    abstract double real(long x, long x0, double y0, long x1, double y1);
}
