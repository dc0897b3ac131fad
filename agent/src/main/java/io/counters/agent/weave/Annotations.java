package io.counters.agent.weave;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import net.bytebuddy.jar.asm.AnnotationVisitor;
import org.jspecify.annotations.Nullable;

/** The annotations of a class or method that may make it count: {@code @Count}, and those that rules name. */
final class Annotations {
    /** The class in which they are used, with slashes. */
    final String owner;

    /** Each {@code @Count}. */
    final List<Mark> marks = new ArrayList<>(1);

    /** Whether they are on a class, and not on a method. */
    final boolean onType;

    private final List<String> others = new ArrayList<>(0);
    private final List<AliasUse> aliases = new ArrayList<>(0);

    Annotations(String owner, boolean onType) {
        this.owner = owner;
        this.onType = onType;
    }

    /** @param wanted descriptors of annotations to record, besides {@code @Count} */
    @Nullable
    AnnotationVisitor read(String descriptor, Set<String> wanted) {
        if (wanted.contains(descriptor)) {
            others.add(descriptor);
            Alias alias = Alias.of(descriptor);
            if (alias != null) {
                AliasUse use = new AliasUse(alias);
                aliases.add(use);
                return use;
            }
        }
        // No lambda, here and in WovenMethod: the first one would cost each start a few ms.
        return Mark.reader(descriptor, new Consumer<Mark>() {
            @Override
            public void accept(Mark mark) {
                marks.add(mark);
            }
        });
    }

    /** Whether they include one with this descriptor. */
    boolean carry(String descriptor) {
        return descriptor.equals(Mark.COUNT) ? !marks.isEmpty() : others.contains(descriptor);
    }

    /** The marks that an annotation of another library stands for; none if it is not there. */
    List<Mark> marksOf(Alias alias) {
        for (AliasUse use : aliases) {
            if (use.alias == alias) {
                return use.marks(onType);
            }
        }
        return new ArrayList<>(0);
    }

    boolean isEmpty() {
        return marks.isEmpty() && others.isEmpty();
    }
}
