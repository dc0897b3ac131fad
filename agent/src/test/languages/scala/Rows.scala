package languages

import io.counters.Count
import io.counters.Count.When
import io.counters.fixture.Hand
import java.util.concurrent.{Callable, CompletableFuture, CompletionStage}

/** Marked methods in Scala 2.13 and 3, one for each case in docs/annotations.md; each body counts by hand. */
object Rows {
  def main(arguments: Array[String]): Unit = {
    new Kinds().all()
    Throws.all()
    Made.all()
    new Whole().all()
    Traits.all()
    Objects.all()
    Shapes.all()
    Overrides.all()
    More.all()
    FromJava.call("languages.Single", "direct")
    FromJava.call("languages.Single", "named")
    FromJava.call("languages.Companion", "inCompanion")
    FromJava.call("languages.Single", "fromTrait")
    Hand.print()
  }
}

/** Calls methods of an object as Java does: through the static double. */
object FromJava {
  def call(type_ : String, method: String): Unit = { Class.forName(type_).getMethod(method).invoke(null); () }
}

class Kinds {
  def all(): Unit = {
    hidden(); fixed(); locked(); itself(2); recursive(3); tail(3); twice(); generic("a"); generic(1)
    val reference: Int => Int = referenced _
    Hand.check(reference(1) + List(1, 2).map(referenced).sum == 4)
    Hand.check(defaults() + defaults(2) == 9 && many(1, 2) == 2 && byName({ 5 }) == 5 && curried(1)(2) == 3)
    Hand.check(lazily + lazily == 2)
    nested()
  }
  @Count("kind.private") private def hidden(): Unit = Hand.count("kind.private")
  @Count("kind.final") final def fixed(): Unit = Hand.count("kind.final")
  @Count("kind.synchronized") def locked(): Int = synchronized { Hand.count("kind.synchronized"); 1 }
  @Count("kind.itself") def itself(n: Int): Unit = { Hand.count("kind.itself"); if (n > 0) this.itself(n - 1) }
  @Count("kind.recursive") def recursive(n: Int): Int = { Hand.count("kind.recursive"); if (n == 0) 0 else 1 + recursive(n - 1) }
  /** Compiled to a loop. */
  @Count("kind.tail") final def tail(n: Int): Int = { if (n == 3) Hand.count("kind.tail"); if (n == 0) 0 else tail(n - 1) }
  @Count("kind.referenced") def referenced(n: Int): Int = { Hand.count("kind.referenced"); n }
  @Count("kind.twice.a") @Count("kind.twice.b") def twice(): Unit = { Hand.count("kind.twice.a"); Hand.count("kind.twice.b") }
  @Count("kind.generic") def generic[A](a: A): A = { Hand.count("kind.generic"); a }
  @Count("kind.defaults") def defaults(a: Int = 1, b: Int = 3): Int = { Hand.count("kind.defaults"); a + b }
  @Count("kind.many") def many(all: Int*): Int = { Hand.count("kind.many"); all.size }
  @Count("kind.by-name") def byName(a: => Int): Int = { Hand.count("kind.by-name"); a }
  @Count("kind.curried") def curried(a: Int)(b: Int): Int = { Hand.count("kind.curried"); a + b }
  lazy val lazily: Int = once()
  @Count("kind.lazy") def once(): Int = { Hand.count("kind.lazy"); 1 }
  def nested(): Unit = {
    val anonymous = new Callable[String] {
      @Count("kind.anonymous") def call(): String = { Hand.count("kind.anonymous"); "" }
    }
    anonymous.call()
  }
}

object Throws {
  def all(): Unit = for (fails <- List(false, true, false)) {
    try { returns(fails) } catch { case _: IllegalStateException => () }
    try { throws(fails) } catch { case _: IllegalStateException => () }
    try { exits(fails) } catch { case _: IllegalStateException => () }
    try { flies(fails) } catch { case _: IllegalStateException => () }
    later(fails)
  }
  private def end(fails: Boolean): Unit = if (fails) throw new IllegalStateException("wanted")
  @Count(value = "throws.entry", errors = "+.errors")
  def returns(fails: Boolean): Unit = { Hand.note("throws.entry"); if (fails) Hand.note("throws.entry.errors"); end(fails) }
  @Count(value = "throws.throw", when = When.THROW)
  def throws(fails: Boolean): Unit = { if (fails) Hand.note("throws.throw"); end(fails) }
  @Count(value = "throws.exit", when = When.EXIT)
  def exits(fails: Boolean): Unit = { Hand.note("throws.exit"); end(fails) }
  @Count(value = "throws.return", when = When.RETURN, inFlight = "throws.open")
  def flies(fails: Boolean): Unit = { if (!fails) Hand.count("throws.return"); end(fails) }
  @Count(value = "throws.later", when = When.RETURN, async = true, errors = "+.errors")
  def later(fails: Boolean): CompletionStage[String] = {
    val stage = new CompletableFuture[String]
    if (fails) { Hand.note("throws.later.errors"); stage.completeExceptionally(new IllegalStateException) }
    else { Hand.note("throws.later"); stage.complete("") }
    stage
  }
}

class Made @Count("made") (val a: Int, val b: Int) {
  Hand.count("made")
  /** A forwarder with the same mark. */
  @Count("made") def this(a: Int) = this(a, 2)
  @Count("made.other") def this(a: String) = { this(a.length, 2); Hand.count("made.other") }
}
object Made {
  def all(): Unit = { new Made(1, 2); new Made(1); new Made("a") }
}

@Count("whole") class Whole {
  def all(): Unit = { Hand.note("whole"); open(); own(); hidden() }
  def open(): Unit = Hand.note("whole")
  @Count("whole.own") def own(): Unit = Hand.count("whole.own")
  private[this] def hidden(): Unit = ()
}

trait Greets {
  @Count("trait.plain") def plain(n: Int): Int = { Hand.count("trait.plain"); n }
  @Count("trait.final") final def fixed(): Unit = Hand.count("trait.final")
  @Count("trait.private") private def hidden(): Unit = Hand.count("trait.private")
  @Count def named(): Unit = Hand.count("languages.Greets.named")
  def callsHidden(): Unit = hidden()
}
trait Maps[A] { @Count("trait.generic") def map(a: A): A = { Hand.count("trait.generic"); a } }
class Greeter extends Greets with Maps[String]
class LateGreeter extends Greeter
trait Stacked extends Greets {
  @Count("trait.stacked") override def plain(n: Int): Int = { Hand.count("trait.stacked"); super.plain(n) }
}
class StackedGreeter extends Stacked
object Traits {
  def all(): Unit = {
    val greeter = new Greeter
    Hand.check(greeter.plain(1) == 1 && (greeter: Greets).plain(2) == 2 && greeter.map("a") == "a")
    Hand.check(new LateGreeter().plain(3) == 3 && new StackedGreeter().plain(4) == 4)
    greeter.fixed(); greeter.callsHidden(); greeter.named()
    (new Greets {}).plain(5)
    (new AnyRef with Greets).plain(6)
  }
}

trait Joins { @Count("object.trait") def fromTrait(): Unit = Hand.count("object.trait") }
object Single extends Joins {
  @Count("object.direct") def direct(): Unit = Hand.count("object.direct")
  @Count def named(): Unit = Hand.count("languages.Single..named")
}
class Companion { def other(): Unit = () }
object Companion {
  @Count("object.companion") def inCompanion(): Int = { Hand.count("object.companion"); 1 }
  @Count("object.apply") def apply(n: Int): Companion = { Hand.count("object.apply"); new Companion }
}
object Objects {
  def all(): Unit = { Single.direct(); Single.fromTrait(); Companion.inCompanion(); Companion(3) }
}

case class Row(a: Int) { @Count("shape.case") def twice(): Int = { Hand.count("shape.case"); 2 * a } }
class Meters(val n: Int) extends AnyVal { @Count("shape.value") def add(o: Int): Int = { Hand.count("shape.value"); n + o } }
object Implicits {
  implicit class Loud(val s: String) extends AnyVal { @Count("shape.extension") def loud: String = { Hand.count("shape.extension"); s } }
}
class Cell[@specialized(Int) A](var held: A) { @Count("shape.specialized") def swap(a: A): A = { Hand.count("shape.specialized"); a } }
trait Named extends Any { @Count("shape.universal") def name(): String = { Hand.count("shape.universal"); "" } }
class Id(val n: Int) extends AnyVal with Named
object Shapes {
  def all(): Unit = {
    import Implicits.Loud
    Hand.check(Row(2).copy(a = 3).twice() == 6 && new Meters(1).add(2) == 3 && "a".loud == "a")
    Hand.check(new Cell(1).swap(2) == 2 && new Cell("a").swap("b") == "b")
    Hand.check(new Id(1).name() == "")
    Hand.check((new Id(2): Named).name() == "")
  }
}

abstract class Base {
  @Count("over.base") def held(): Unit = Hand.count("over.base")
}
class Over extends Base {
  override def held(): Unit = Hand.inherited("over.base")
}
object Overrides {
  def all(): Unit = { val over = new Over; over.held(); (new Base {}).held() }
}

/** Delegations that a person wrote; each counts under its own name. */
class Delegating(real: Greeter) { @Count("more.delegating") def plain(n: Int): Int = { Hand.count("more.delegating"); real.plain(n) } }
class Passing(real: Greeter) { @Count def named(): Unit = real.named() }
object More {
  def all(): Unit = {
    new Delegating(new Greeter).plain(7)
    Hand.note("languages.Passing.named")
    new Passing(new Greeter).named()
  }
}
