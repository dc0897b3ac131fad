package languages

import io.counters.Count
import io.counters.fixture.Hand

/** Features that only Scala 3 has; `Rows.main` runs first. */
object Rows3 {
  def main(arguments: Array[String]): Unit = {
    Hand.check(top(1) == 1 && "a".shout(2) == "aa" && Color.Red.code() == 0)
    FromJava.call("languages.Rows3$package", "fromJava")
    val exporting = new Exporting
    Hand.check(exporting.exported(3) == 3)
    new WithParameter().sized()
    Hand.check(Opaque.make(3).doubled == 6)
    summon[Ordering[Row]].compare(Row(1), Row(1))
    Rows.main(arguments)
  }
}

@Count("three.top") def top(n: Int): Int = { Hand.count("three.top"); n }
@Count("three.java") def fromJava(): Unit = Hand.count("three.java")
extension (s: String) @Count("three.extension") def shout(n: Int): String = { Hand.count("three.extension"); s * n }
enum Color { case Red, Blue; @Count("three.enum") def code(): Int = { Hand.count("three.enum"); ordinal } }
class Real { @Count("three.exported") def exported(n: Int): Int = { Hand.count("three.exported"); n } }
class Exporting { val real = new Real; export real.exported }
trait Sized(val size: Int) { @Count("three.parameter") def sized(): Int = { Hand.count("three.parameter"); size } }
class WithParameter extends Sized(3)
object Opaque {
  opaque type Id = Int
  @Count("three.opaque") def make(i: Int): Id = { Hand.count("three.opaque"); i }
  extension (i: Id) @Count("three.opaque.extension") def doubled: Int = { Hand.count("three.opaque.extension"); i * 2 }
}
given Ordering[Row] with { @Count("three.given") def compare(a: Row, b: Row): Int = { Hand.count("three.given"); 0 } }
