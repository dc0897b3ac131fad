package io.counters.agent.weave;

import io.counters.wire.NameTemplates;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import net.bytebuddy.jar.asm.AnnotationVisitor;
import net.bytebuddy.jar.asm.Opcodes;
import net.bytebuddy.jar.asm.Type;
import org.jspecify.annotations.Nullable;

/** What one {@code @Count} in a class file, or one rule, says about a method: its counters and its moment. */
final class Mark {
    static final String COUNT = "Lio/counters/Count;";
    static final String COUNTS = "Lio/counters/Count$List;";

    /** The end of the descriptor if shading has moved the API below another package. */
    static final String MOVED_COUNT = "/io/counters/Count;";

    static final String MOVED_COUNTS = "/io/counters/Count$List;";

    /** In a name, where the class of the Throwable is inserted when a call ends with one; see {@link #byException}. */
    static final String EXCEPTION = "{exception}";

    /** The first element that this agent does not understand, with the constant if it has one; empty if there is none. */
    String unknown = "";

    String value = "";
    Moment when = Moment.ENTRY;
    String errors = "";
    final List<String> on = new ArrayList<>();
    String inFlight = "";
    int amount = 1;
    boolean async;

    /** Whether it counts under {@link #value}; if not, only {@link #errors} and {@link #inFlight} count. */
    boolean counts = true;

    /** Whether {@link #value} has the tag {@code exception={exception}}; only with {@link Moment#THROW}. */
    boolean byException;

    /** Whether it is {@link #async} on methods that are declared to return a stage, and not on others. */
    boolean asyncIfStage;

    /** Whether a rule names exactly this method, so that it must be logged if the method is not counted. */
    boolean named;

    /** Whether both have the same values, as a compiler's copy has. */
    boolean equalTo(Mark other) {
        return value.equals(other.value)
                && when == other.when
                && errors.equals(other.errors)
                && on.equals(other.on)
                && inFlight.equals(other.inFlight)
                && amount == other.amount
                && async == other.async
                && counts == other.counts
                && byException == other.byException
                && asyncIfStage == other.asyncIfStage;
    }

    /** Whether its names contain this placeholder. */
    boolean uses(String placeholder) {
        String templates = (value.isEmpty() ? NameTemplates.DEFAULT : value) + errors + inFlight;
        return templates.contains(placeholder);
    }

    private void notUnderstood(String element) {
        unknown = unknown.isEmpty() ? element : unknown;
    }

    /** A reader of this annotation; null if it is not {@code @Count}. */
    static @Nullable AnnotationVisitor reader(String descriptor, Consumer<Mark> into) {
        if (descriptor.equals(COUNT) || descriptor.endsWith(MOVED_COUNT)) {
            return one(into);
        }
        return descriptor.equals(COUNTS) || descriptor.endsWith(MOVED_COUNTS) ? list(into) : null;
    }

    private static AnnotationVisitor list(Consumer<Mark> into) {
        return new AnnotationVisitor(Opcodes.ASM9) {
            @Override
            public AnnotationVisitor visitArray(String element) {
                return this;
            }

            @Override
            public AnnotationVisitor visitAnnotation(String element, String descriptor) {
                return one(into);
            }
        };
    }

    private static AnnotationVisitor one(Consumer<Mark> into) {
        Mark mark = new Mark();
        return new AnnotationVisitor(Opcodes.ASM9) {
            @Override
            public void visit(String element, Object value) {
                if (element.equals("value") && value instanceof String) {
                    mark.value = (String) value;
                } else if (element.equals("errors") && value instanceof String) {
                    mark.errors = (String) value;
                } else if (element.equals("inFlight") && value instanceof String) {
                    mark.inFlight = (String) value;
                } else if (element.equals("amount") && value instanceof Integer) {
                    mark.amount = (Integer) value;
                } else if (element.equals("async") && value instanceof Boolean) {
                    mark.async = (Boolean) value;
                } else {
                    mark.notUnderstood(element);
                }
            }

            @Override
            public void visitEnum(String element, String descriptor, String value) {
                for (Moment moment : Moment.values()) {
                    if (element.equals("when") && moment.name().equals(value)) {
                        mark.when = moment;
                        return;
                    }
                }
                mark.notUnderstood(element + " = " + value);
            }

            @Override
            public @Nullable AnnotationVisitor visitAnnotation(String element, String descriptor) {
                mark.notUnderstood(element);
                return null;
            }

            @Override
            public @Nullable AnnotationVisitor visitArray(String element) {
                if (!element.equals("on")) {
                    mark.notUnderstood(element);
                    return null;
                }
                return mark.readerOfTypes();
            }

            @Override
            public void visitEnd() {
                into.accept(mark);
            }
        };
    }

    /** Reads the elements of {@link #on}. */
    private AnnotationVisitor readerOfTypes() {
        return new AnnotationVisitor(Opcodes.ASM9) {
            @Override
            public void visit(@Nullable String none, Object value) {
                if (value instanceof Type && ((Type) value).getSort() == Type.OBJECT) {
                    on.add(((Type) value).getClassName());
                } else {
                    notUnderstood("on");
                }
            }

            @Override
            public void visitEnum(@Nullable String none, String descriptor, String value) {
                notUnderstood("on");
            }

            @Override
            public @Nullable AnnotationVisitor visitAnnotation(@Nullable String none, String descriptor) {
                notUnderstood("on");
                return null;
            }

            @Override
            public @Nullable AnnotationVisitor visitArray(@Nullable String none) {
                notUnderstood("on");
                return null;
            }
        };
    }
}
