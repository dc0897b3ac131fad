package io.counters.collector.store;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.counters.collector.ledger.Push;
import io.counters.collector.ledger.Push.Exists;
import io.counters.collector.ledger.Push.Holds;
import io.counters.collector.ledger.Push.Missing;
import io.counters.collector.ledger.Push.Refused;
import io.counters.collector.ledger.Push.Reply;
import io.counters.collector.ledger.Push.Unknown;
import io.lettuce.core.RedisCommandExecutionException;
import io.lettuce.core.RedisNoScriptException;
import io.lettuce.core.ScriptOutputType;
import io.lettuce.core.SetArgs;
import io.lettuce.core.cluster.api.async.RedisClusterAsyncCommands;
import io.lettuce.core.codec.Base16;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The requests about a counter as commands of Redis, and what its replies mean. For any thread.
 *
 * <p>{@code INCRBY} would create an evicted key again, with the difference as its value, so a script checks first and does
 * both at once. {@code INCRBY} also stops at the ends of 64 bits. There the script wraps, because a difference is modulo
 * 2^64: the present and the next value may be further apart than 64 bits can express, but the sum is right. The script
 * answers with text, because numbers in scripts are doubles.
 */
final class RedisRequests {
    /** Changes a key by ARGV[1]; ARGV[2] is the same number with its highest bit inverted. */
    private static final String MOVE = """
            if not redis.call('GET', KEYS[1]) then return false end
            local moved = redis.pcall('INCRBY', KEYS[1], ARGV[1])
            if type(moved) == 'table' and moved.err then
              if not string.find(moved.err, 'overflow') then return moved end
              if string.sub(ARGV[1], 1, 1) == '-' then
                redis.call('INCRBY', KEYS[1], '9223372036854775807')
                redis.call('INCRBY', KEYS[1], '1')
              else
                redis.call('INCRBY', KEYS[1], '-9223372036854775808')
              end
              redis.call('INCRBY', KEYS[1], ARGV[2])
            end
            return redis.call('GET', KEYS[1])
            """;

    private final String server;
    private final Supplier<@Nullable String> strange;
    private final String digest = Base16.digest(MOVE.getBytes(US_ASCII));

    /**
     * @param server as messages name it
     * @param strange what the server looks like, if it was last heard to say something that is not a reply of Redis
     */
    RedisRequests(String server, Supplier<@Nullable String> strange) {
        this.server = server;
        this.strange = strange;
    }

    /** Sends a request; completes with the reply, which is {@link Unknown} if there is none. */
    CompletableFuture<Reply> ask(RedisClusterAsyncCommands<String, String> redis, Push request) {
        String key = request.key();
        CompletionStage<Reply> reply = switch (request.kind()) {
            case ADD ->
                redis.set(key, Long.toString(request.number()), SetArgs.Builder.nx())
                        .thenApply(done -> done != null ? new Holds(request.number()) : new Exists());
            case INCREMENT -> move(redis, key, request.number()).thenApply(RedisRequests::value);
            case READ -> redis.get(key).thenApply(RedisRequests::value);
        };
        return reply.exceptionally(this::failure).toCompletableFuture();
    }

    private CompletionStage<String> move(RedisClusterAsyncCommands<String, String> redis, String key, long difference) {
        String[] keys = {key};
        String[] numbers = {Long.toString(difference), Long.toString(difference ^ Long.MIN_VALUE)};
        return redis.<String>evalsha(digest, ScriptOutputType.VALUE, keys, numbers)
                .exceptionallyCompose(failure -> failure instanceof RedisNoScriptException
                                || failure.getCause() instanceof RedisNoScriptException
                        ? redis.eval(MOVE, ScriptOutputType.VALUE, keys, numbers)
                        : CompletableFuture.failedFuture(failure));
    }

    private static Reply value(@Nullable String text) {
        if (text == null) {
            return new Missing();
        }
        try {
            return new Holds(Long.parseLong(text));
        } catch (NumberFormatException noCounter) {
            return new Refused(Store.NO_NUMBER);
        }
    }

    private Reply failure(Throwable failure) {
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        String message = String.valueOf(cause.getMessage());
        if (!(cause instanceof RedisCommandExecutionException)) {
            return new Unknown(server + ": " + (strange.get() == null ? cause.toString() : why(cause)));
        }
        // Scripts add text before and after a command's error.
        if (message.contains("WRONGTYPE") || message.contains("not an integer")) {
            return new Refused(Store.NO_NUMBER);
        }
        if (message.contains("OOM ")) {
            return new Refused("its memory is full and it may not evict; raise maxmemory");
        }
        if (message.contains("READONLY ")) {
            return new Refused("it is a replica, which accepts no writes; set its master in --store");
        }
        if (message.contains("MISCONF ") || message.contains("NOREPLICAS ")) {
            return new Refused("it accepts no writes now (" + message + ")");
        }
        if (message.startsWith("MOVED ")) {
            return new Unknown("it is one node of a cluster; set two or more of its nodes in --store");
        }
        if (message.startsWith("NOAUTH") || message.startsWith("WRONGPASS")) {
            return new Unknown("it rejects the login; set store_user and store_password");
        }
        return new Unknown(message);
    }

    /** Why a request failed: what the server looks like, if that is known, else the failure's message. */
    String why(Throwable failure) {
        String looks = strange.get();
        return looks != null ? "it " + looks : String.valueOf(failure.getMessage());
    }
}
