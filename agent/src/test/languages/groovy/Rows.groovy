package languages

import groovy.transform.CompileStatic
import io.counters.Count
import io.counters.Count.When
import io.counters.fixture.Hand
import java.util.concurrent.Callable
import java.util.concurrent.CompletableFuture
import java.util.concurrent.CompletionStage

/** Marked methods in Groovy, one for each case in docs/annotations.md; each body counts by hand. */
class Rows {
    static void main(String[] arguments) {
        new Kinds().all()
        Throws.all()
        Made.all()
        new Whole().all()
        Traits.all()
        Shapes.all()
        Overrides.all()
        Hand.print()
    }
}

class Kinds {
    void all() {
        hidden(); fixed(); Kinds.ofClass(); locked(); recursive(3); twice(); generic("a")
        Closure reference = this.&referenced
        Hand.check(reference(1) + [1, 2].collect(this.&referenced).sum() == 4)
        Hand.check(defaults(1) == 6 && defaults(1, 1) == 5 && defaults(1, 1, 1) == 3)
        Hand.check(typed(1) == 3 && typed(1, 1L) == 2 && computed(2) == 6 && new Static().defaults(1) == 3)
        Hand.check(many("a", "b") == 2 && [1, 2].every { inClosure(it) } && new Named(a: 1).named() == 1)
        new Callable<String>() {
            @Count("kind.anonymous") String call() { Hand.count("kind.anonymous"); "" }
        }.call()
    }
    @Count("kind.private") private void hidden() { Hand.count("kind.private") }
    @Count("kind.final") final void fixed() { Hand.count("kind.final") }
    @Count("kind.static") static void ofClass() { Hand.count("kind.static") }
    @Count("kind.synchronized") synchronized int locked() { Hand.count("kind.synchronized"); 1 }
    @Count("kind.recursive") int recursive(int n) { Hand.count("kind.recursive"); n == 0 ? 0 : 1 + recursive(n - 1) }
    @Count("kind.referenced") def referenced(n) { Hand.count("kind.referenced"); n }
    @Count("kind.twice.a") @Count("kind.twice.b") void twice() { Hand.count("kind.twice.a"); Hand.count("kind.twice.b") }
    @Count("kind.generic") public <A> A generic(A a) { Hand.count("kind.generic"); a }
    @Count("kind.defaults") def defaults(a, b = 2, c = 3) { Hand.count("kind.defaults"); a + b + c }
    @Count("kind.typed") int typed(int a, long b = 2L) { Hand.count("kind.typed"); (int) (a + b) }
    @Count("kind.computed") int computed(int a, int b = a * 2) { Hand.count("kind.computed"); a + b }
    @Count("kind.many") int many(String... all) { Hand.count("kind.many"); all.length }
    @Count("kind.closure") boolean inClosure(n) { Hand.count("kind.closure"); true }
}

@CompileStatic
class Static {
    @Count("kind.static-defaults") int defaults(int a, int b = 2) { Hand.count("kind.static-defaults"); a + b }
}

class Named {
    int a
    @Count("kind.named") int named() { Hand.count("kind.named"); a }
}

class Throws {
    static void all() {
        for (fails in [false, true, false]) {
            Hand.throwing(IllegalStateException, { returns(fails) })
            Hand.throwing(IllegalStateException, { throwsThat(fails) })
            Hand.throwing(IllegalStateException, { exits(fails) })
            Hand.throwing(IllegalStateException, { flies(fails) })
            later(fails)
        }
    }
    private static void end(boolean fails) { if (fails) throw new IllegalStateException("wanted") }
    @Count(value = "throws.entry", errors = "+.errors")
    static void returns(boolean fails) { Hand.note("throws.entry"); if (fails) Hand.note("throws.entry.errors"); end(fails) }
    @Count(value = "throws.throw", when = When.THROW)
    static void throwsThat(boolean fails) { if (fails) Hand.note("throws.throw"); end(fails) }
    @Count(value = "throws.exit", when = When.EXIT)
    static void exits(boolean fails) { Hand.note("throws.exit"); end(fails) }
    @Count(value = "throws.return", when = When.RETURN, inFlight = "throws.open")
    static void flies(boolean fails) { if (!fails) Hand.count("throws.return"); end(fails) }
    @Count(value = "throws.later", when = When.RETURN, async = true, errors = "+.errors")
    static CompletionStage<String> later(boolean fails) {
        def stage = new CompletableFuture<String>()
        if (fails) {
            Hand.note("throws.later.errors")
            stage.completeExceptionally(new IllegalStateException())
        } else {
            Hand.note("throws.later")
            stage.complete("")
        }
        stage
    }
}

class Made {
    @Count("made") Made(int a, int b) { Hand.count("made") }
    /** A forwarder with the same mark. */
    @Count("made") Made(int a) { this(a, 2) }
    @Count("made.other") Made(String a) { this(a.length(), 2); Hand.count("made.other") }
    static void all() { new Made(1, 2); new Made(1); new Made("a") }
}

@Count("whole")
class Whole {
    int held
    void all() { Hand.note("whole"); open(); own(); setHeld(1); getHeld() }
    void open() { Hand.note("whole") }
    @Count("whole.own") void own() { Hand.count("whole.own") }
}

trait Greets {
    @Count("trait.plain") int plain(int n) { Hand.count("trait.plain"); n }
    @Count("trait.private") private int hidden() { Hand.count("trait.private"); 1 }
    @Count def named() { Hand.count('languages.Greets.Trait.Helper.named'); 1 }
    int callsHidden() { hidden() }
}
class Greeter implements Greets {}
class LateGreeter extends Greeter {}
interface Maps<A> { @Count("trait.default") default A map(A a) { Hand.count("trait.default"); a } }
class Mapper implements Maps<String> {}
class Delegating { @Delegate(methodAnnotations = true) private Greeter greeter = new Greeter() }
class Delegate2 { @Delegate private Real real = new Real() }
class Real { @Count("trait.real") int real(int n) { Hand.count("trait.real"); n } }
class Copying { @Delegate(methodAnnotations = true) private Real real = new Real() }
class Traits {
    static void all() {
        Hand.check(new Greeter().plain(1) == 1 && new LateGreeter().plain(2) == 2 && new Mapper().map("a") == "a")
        new Greeter().callsHidden()
        new Greeter().named()
        Hand.check(new Delegate2().real(1) == 1 && new Copying().real(2) == 2 && new Delegating().plain(3) == 3)
    }
}

enum Color { RED; @Count("shape.enum") int code() { Hand.count("shape.enum"); ordinal() } }
record Row(int a) { @Count("shape.record") int twice() { Hand.count("shape.record"); 2 * a } }
@Singleton class Single { @Count("shape.singleton") int get() { Hand.count("shape.singleton"); 1 } }
@groovy.transform.Canonical class Tuple { int a; @Count("shape.canonical") int held() { Hand.count("shape.canonical"); a } }
class Shapes {
    static void all() {
        Hand.check(Color.RED.code() == 0 && new Row(2).twice() == 4 && Single.instance.get() == 1)
        Hand.check(new Tuple(3).held() == 3)
    }
}

abstract class Base { @Count("over.base") void held() { Hand.count("over.base") } }
class Over extends Base { @Override void held() { Hand.inherited("over.base"); super.held() } }
class Plain extends Base {}
class Overrides {
    static void all() { new Over().held(); new Plain().held() }
}
