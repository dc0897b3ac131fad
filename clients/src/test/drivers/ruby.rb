# Counts with Debian's ruby-statsd: ruby.rb CLIENT TRANSPORT BUFFERED WHAT ADDRESS COUNTER
require 'statsd-ruby'

_, transport, buffered, what, address, counter = ARGV
host, port = address.split(':')
client = Statsd.new(host, port.to_i, transport.to_sym)

repeat = lambda do |times, &call|
  times.times.each_slice(20) do |calls|
    if buffered == 'true'
      client.batch { |batch| calls.each { call.call(batch) } }
    else
      calls.each { call.call(client) }
    end
    sleep 0.001 # so that no socket buffer overflows
  end
end

case what
when 'plain'
  repeat.call(1000) { |statsd| statsd.increment(counter) }
  repeat.call(100) { |statsd| statsd.count(counter, 5) }
when 'minus'
  repeat.call(500) { |statsd| statsd.count(counter, 3) }
  repeat.call(500) { |statsd| statsd.decrement(counter) }
when 'fractions'
  repeat.call(400) { |statsd| statsd.count(counter, 0.25) }
when 'sampled'
  repeat.call(2000) { |statsd| statsd.increment(counter, 0.75) }
when 'tags' # it does not support tags, so its users write them into the name in Librato's form
  repeat.call(200) { |statsd| statsd.increment("#{counter}#env=prod,path=/users/{id},note=a+b c") }
when 'others'
  repeat.call(10) do |statsd|
    statsd.gauge(counter, 12.5)
    statsd.timing(counter, 3)
    statsd.set(counter, 'visitor')
  end
end
