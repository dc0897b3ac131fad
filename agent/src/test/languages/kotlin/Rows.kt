/** Marked methods in Kotlin, one for each case in docs/annotations.md; each body counts by hand. */
package languages

import io.counters.Count
import io.counters.Count.When
import io.counters.fixture.Hand
import java.util.concurrent.Callable
import java.util.concurrent.CompletableFuture
import java.util.concurrent.CompletionStage
import kotlin.coroutines.Continuation
import kotlin.coroutines.EmptyCoroutineContext
import kotlin.coroutines.resume
import kotlin.coroutines.startCoroutine
import kotlin.coroutines.suspendCoroutine

object Rows {
    @JvmStatic
    fun main(arguments: Array<String>) {
        Kinds().all()
        for (fails in listOf(false, true, false)) throwing(fails)
        made()
        Whole().all()
        interfaces()
        values()
        objects()
        Over().held()
        Plain().held()
        suspending()
        Hand.print()
    }
}

/** Calls a method as Java does: without arguments, or through the static double. */
private fun fromJava(type: String, method: String) = Class.forName(type).getMethod(method).invoke(null)
private fun newFromJava(type: String) = Class.forName(type).getConstructor().newInstance()

class Kinds {
    fun all() {
        hidden(); fixed(); locked(); recursive(3); tail(3); twice(); top(1); "a".extended(); inner(); synthetic()
        val reference: (Int) -> Int = this::referenced
        Hand.check(reference(1) + listOf(1, 2).map(::referenced).sum() == 4)
        Hand.check(defaults(1) + defaults(1, 3) == 7 && overloads("a") == 3 && property == 1 && many(1, 2) == 2)
        Hand.check(javaClass.getMethod("overloads", String::class.java).invoke(this, "a") == 3)
    }
    @Count("kind.private") private fun hidden() = Hand.count("kind.private")
    @Count("kind.final") fun fixed() = Hand.count("kind.final")
    @Synchronized @Count("kind.synchronized") fun locked() = Hand.count("kind.synchronized")
    @Count("kind.recursive") fun recursive(n: Int): Int { Hand.count("kind.recursive"); return if (n == 0) 0 else 1 + recursive(n - 1) }
    /** Compiled to a loop. */
    @Count("kind.tail") tailrec fun tail(n: Int): Int { if (n == 3) Hand.count("kind.tail"); return if (n == 0) 0 else tail(n - 1) }
    @Count("kind.referenced") fun referenced(n: Int): Int { Hand.count("kind.referenced"); return n }
    @Count("kind.twice.a") @Count("kind.twice.b") fun twice() { Hand.count("kind.twice.a"); Hand.count("kind.twice.b") }
    @Count("kind.defaults") fun defaults(a: Int, b: Int = 2): Int { Hand.count("kind.defaults"); return a + b }
    @JvmOverloads @Count("kind.overloads") fun overloads(a: String, b: Int = 2): Int { Hand.count("kind.overloads"); return a.length + b }
    @Count("kind.many") fun many(vararg all: Int): Int { Hand.count("kind.many"); return all.size }
    val property: Int @Count("kind.property") get() { Hand.count("kind.property"); return 1 }
    @JvmSynthetic @Count("kind.synthetic") fun synthetic() = Hand.note("kind.synthetic")
    private fun inner() = object : Callable<String> {
        @Count("kind.anonymous") override fun call(): String { Hand.count("kind.anonymous"); return "" }
    }.call()
}

@Count("kind.top") fun top(a: Int, b: Int = 1): Int { Hand.count("kind.top"); return a + b }
@Count("kind.extension") fun String.extended(): Int { Hand.count("kind.extension"); return length }

private fun end(fails: Boolean) { if (fails) throw IllegalStateException("wanted") }

private fun throwing(fails: Boolean) {
    Hand.throwing(IllegalStateException::class.java) { entry(fails) }
    Hand.throwing(IllegalStateException::class.java) { thrown(fails) }
    Hand.throwing(IllegalStateException::class.java) { exits(fails) }
    Hand.throwing(IllegalStateException::class.java) { flies(fails) }
    later(fails)
}

@Count("throws.entry", errors = "+.errors")
fun entry(fails: Boolean) { Hand.note("throws.entry"); if (fails) Hand.note("throws.entry.errors"); end(fails) }

@Count("throws.throw", `when` = When.THROW)
fun thrown(fails: Boolean) { if (fails) Hand.note("throws.throw"); end(fails) }

@Count("throws.exit", `when` = When.EXIT)
fun exits(fails: Boolean) { Hand.note("throws.exit"); end(fails) }

@Count("throws.return", `when` = When.RETURN, inFlight = "throws.open")
fun flies(fails: Boolean) { if (!fails) Hand.count("throws.return"); end(fails) }

@Count("throws.later", `when` = When.RETURN, async = true, errors = "+.errors")
fun later(fails: Boolean): CompletionStage<String> {
    val stage = CompletableFuture<String>()
    Hand.note(if (fails) "throws.later.errors" else "throws.later")
    if (fails) stage.completeExceptionally(IllegalStateException()) else stage.complete("")
    return stage
}

class NoArgument @Count("made.no-argument") constructor(val a: Int = 1, val b: Int = 2) { init { Hand.count("made.no-argument") } }
class Overloaded @JvmOverloads @Count("made.overloaded") constructor(val a: Int = 1, val b: String = "b") { init { Hand.count("made.overloaded") } }
class ByDefault @Count constructor(val a: Int = 1) { init { Hand.count("languages.ByDefault.new") } }
class Made @Count("made") constructor(val a: Int, val b: Int) {
    init { Hand.count("made") }
    /** A forwarder with the same mark. */
    @Count("made") constructor(a: Int) : this(a, 2)
    @Count("made.other") constructor(a: String) : this(a.length, 2) { Hand.count("made.other") }
}

private fun made() {
    NoArgument(); NoArgument(3); newFromJava("languages.NoArgument")
    Overloaded(); Overloaded(1); newFromJava("languages.Overloaded")
    ByDefault(); newFromJava("languages.ByDefault")
    Made(1, 2); Made(1); Made("a")
}

@Count("whole") class Whole {
    fun all() { Hand.note("whole"); open(); own(); hidden() }
    fun open() = Hand.note("whole")
    @Count("whole.own") fun own() = Hand.count("whole.own")
    private fun hidden() {}
}

interface Greets {
    @Count("interface.plain") fun plain(n: Int): Int { Hand.count("interface.plain"); return n }
    @Count("interface.defaults") fun defaults(n: Int = 1): Int { Hand.count("interface.defaults"); return n }
    @Count("interface.private") private fun hidden() = Hand.count("interface.private")
    fun callsHidden() = hidden()
}
interface Generic<T> { @Count("interface.generic") fun generic(given: T): T { Hand.count("interface.generic"); return given } }
class Greeter : Greets, Generic<String>
class ByDelegation(greets: Greets) : Greets by greets
class Calling : Greets { override fun plain(n: Int): Int { Hand.inherited("interface.plain"); return super.plain(n) } }

private fun interfaces() {
    Hand.check(Greeter().plain(1) == 1 && (Greeter() as Greets).plain(1) == 1 && Greeter().generic("a") == "a")
    Hand.check(ByDelegation(Greeter()).plain(2) == 2 && Calling().plain(3) == 3 && Greeter().defaults() == 1)
    Greeter().callsHidden()
}

interface Labeled {
    fun label(): String
    @Count("value.default") fun described(): Int { Hand.count("value.default"); return 1 }
}
@JvmInline value class Label(val text: String) : Labeled {
    @Count("value.overriding") override fun label(): String { Hand.count("value.overriding"); return text }
    @Count("value.own") fun own(n: Int): Int { Hand.count("value.own"); return n }
}

private fun values() {
    val labeled: Labeled = Label("a")
    Hand.check(Label("a").label() == "a" && labeled.label() == "a" && Label("a").own(1) == 1)
    Hand.check(Label("a").described() + labeled.described() == 2)
}

class WithCompanion {
    companion object {
        @JvmStatic @Count("object.static") fun fixed() = Hand.count("object.static")
        @Count("object.instance") fun instance() = Hand.count("object.instance")
        @JvmStatic @Count fun named() = Hand.count("languages.WithCompanion.Companion.named")
    }
}
data class Row(val a: Int) { @Count("shape.data") fun twice(): Int { Hand.count("shape.data"); return 2 * a } }
enum class Color { RED { @Count("shape.enum") override fun code(): Int { Hand.count("shape.enum"); return 0 } }; abstract fun code(): Int }

open class Asked { open fun ask(n: Int) = n }
class Answers { @Count("shape.captured") fun answer(n: Int): Int { Hand.count("shape.captured"); return n } }

private val held = Answers()

@Count("shape.captured") private fun held(n: Int) = held.answer(n)

/** These call another object, so they count, too. */
private fun asking(given: Answers) = object : Asked() { @Count("shape.captured") override fun ask(n: Int) = given.answer(n) }

private fun objects() {
    Hand.note("shape.captured")
    Hand.note("shape.captured")
    Hand.check(asking(Answers()).ask(3) + held(1) == 4)
    WithCompanion.fixed(); WithCompanion.instance(); WithCompanion.named()
    fromJava("languages.WithCompanion", "fixed")
    fromJava("languages.WithCompanion", "named")
    Hand.check(Row(1).copy(a = 2).twice() == 4 && Color.RED.code() == 0)
}

abstract class Base { @Count("over.base") open fun held() = Hand.count("over.base") }
class Over : Base() { override fun held() { Hand.inherited("over.base"); super.held() } }
class Plain : Base()

private var waiting: Continuation<Unit>? = null

private suspend fun pause() = suspendCoroutine<Unit> { waiting = it }

@Count("suspend") suspend fun suspends(n: Int): Int {
    Hand.note("suspend")
    pause()
    pause()
    return n
}

private fun suspending() {
    suspend { suspends(1) }.startCoroutine(Continuation(EmptyCoroutineContext) {})
    while (waiting != null) waiting.also { waiting = null }!!.resume(Unit)
}
