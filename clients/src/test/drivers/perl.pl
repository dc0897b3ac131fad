# Counts with Debian's libnet-statsd-perl: perl.pl CLIENT TRANSPORT BUFFERED WHAT ADDRESS COUNTER
use strict;
use warnings;
use Net::Statsd;
use Time::HiRes;

my (undef, undef, undef, $what, $address, $counter) = @ARGV;
($Net::Statsd::HOST, $Net::Statsd::PORT) = split /:/, $address;

sub repeat {
    my ($times, $call) = @_;
    for my $done (1 .. $times) {
        $call->();
        Time::HiRes::sleep(0.001) if $done % 20 == 0;    # so that no socket buffer overflows
    }
}

my %calls = (
    plain => sub {
        repeat(1000, sub { Net::Statsd::increment($counter) });
        repeat(100, sub { Net::Statsd::update_stats($counter, 5) });
    },
    minus => sub {
        repeat(500, sub { Net::Statsd::update_stats($counter, 3) });
        repeat(500, sub { Net::Statsd::decrement($counter) });
    },
    fractions => sub { repeat(400, sub { Net::Statsd::update_stats($counter, 0.25) }) },
    sampled => sub { repeat(2000, sub { Net::Statsd::increment($counter, 0.75) }) },
    # It does not support tags, so its users write them into the name in SignalFx's form.
    tags => sub { repeat(200, sub { Net::Statsd::increment("$counter\[env=prod,path=/users/{id},note=a+b c]") }) },
    others => sub {
        repeat(10, sub {
            Net::Statsd::gauge($counter => 12.5, $counter => -1);    # two lines in one datagram
            Net::Statsd::timing($counter, 3);
        });
    },
);
$calls{$what}->();
