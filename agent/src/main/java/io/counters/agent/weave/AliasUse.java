package io.counters.agent.weave;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import net.bytebuddy.jar.asm.AnnotationVisitor;
import net.bytebuddy.jar.asm.Opcodes;
import net.bytebuddy.jar.asm.Type;
import org.jspecify.annotations.Nullable;

/**
 * One annotation of another library in a class file: the attributes that are written there. Attributes that have their
 * default value are usually not written, so each default is repeated here. The annotation's own class is not needed.
 */
final class AliasUse extends AnnotationVisitor {
    private static final Object NO_TEXT = new Object();

    final Alias alias;
    private final Map<String, Object> values = new LinkedHashMap<>();

    AliasUse(Alias alias) {
        super(Opcodes.ASM9);
        this.alias = alias;
    }

    /**
     * The marks that it stands for.
     *
     * @throws IllegalArgumentException if it has an attribute whose meaning is not known, or attributes that contradict each
     *     other; the message says why
     */
    List<Mark> marks(boolean onType) {
        for (String attribute : values.keySet()) {
            if (!alias.attributes.contains(attribute)) {
                throw new IllegalArgumentException("the attribute " + attribute
                        + " is not one of those whose meaning is known, " + String.join(", ", alias.attributes));
            }
        }
        return alias.marks(this, onType);
    }

    /** A text, in which what would end a part of a name or begin a placeholder is replaced. */
    String text(String attribute, String otherwise) {
        String value = value(attribute, String.class);
        return value == null ? otherwise : part(value);
    }

    boolean flag(String attribute, boolean otherwise) {
        Boolean value = value(attribute, Boolean.class);
        return value == null ? otherwise : value;
    }

    /** The name of a class. */
    String type(String attribute, String otherwise) {
        Type value = value(attribute, Type.class);
        if (value != null && value.getSort() != Type.OBJECT) {
            throw other(attribute);
        }
        return value == null ? otherwise : value.getClassName();
    }

    private <T> @Nullable T value(String attribute, Class<T> type) {
        return as(type, attribute, values.get(attribute));
    }

    private static <T> @Nullable T as(Class<T> type, String attribute, @Nullable Object value) {
        if (value != null && !type.isInstance(value)) {
            throw other(attribute);
        }
        return type.cast(value);
    }

    private static IllegalArgumentException other(String attribute) {
        return new IllegalArgumentException(
                "the attribute " + attribute + " has a value of another type than the one that is known");
    }

    /** Tags that are written as keys and values in turn; of equal keys the last one is used. */
    Map<String, String> pairs(String attribute) {
        List<String> texts = texts(attribute);
        if (texts.size() % 2 != 0) {
            throw new IllegalArgumentException(
                    attribute + " has " + texts.size() + " texts; write keys and values in turn");
        }
        Map<String, String> tags = new LinkedHashMap<>();
        for (int i = 0; i < texts.size(); i += 2) {
            tags.put(part(texts.get(i)), part(texts.get(i + 1)));
        }
        return tags;
    }

    /** Tags that are written {@code key=value}; others are ignored, as MicroProfile Metrics specifies. */
    Map<String, String> assignments(String attribute) {
        Map<String, String> tags = new LinkedHashMap<>();
        for (String text : texts(attribute)) {
            int equals = text.indexOf('=');
            if (equals >= 0) {
                tags.put(part(text.substring(0, equals)), part(text.substring(equals + 1)));
            }
        }
        return tags;
    }

    private List<String> texts(String attribute) {
        List<?> elements = value(attribute, List.class);
        List<String> texts = new ArrayList<>(0);
        if (elements != null) {
            for (Object element : elements) {
                texts.add(as(String.class, attribute, element));
            }
        }
        return texts;
    }

    private static String part(String text) {
        return text.replace(',', '_').replace('=', '_').replace('{', '_').replace('}', '_');
    }

    @Override
    public void visit(String attribute, Object value) {
        values.put(attribute, value);
    }

    @Override
    public void visitEnum(String attribute, String descriptor, String value) {
        values.put(attribute, NO_TEXT);
    }

    @Override
    public @Nullable AnnotationVisitor visitAnnotation(String attribute, String descriptor) {
        values.put(attribute, NO_TEXT);
        return null;
    }

    @Override
    public AnnotationVisitor visitArray(String attribute) {
        List<Object> elements = new ArrayList<>();
        values.put(attribute, elements);
        return new AnnotationVisitor(Opcodes.ASM9) {
            @Override
            public void visit(@Nullable String none, Object value) {
                elements.add(value);
            }

            @Override
            public void visitEnum(@Nullable String none, String descriptor, String value) {
                elements.add(NO_TEXT);
            }

            @Override
            public @Nullable AnnotationVisitor visitAnnotation(@Nullable String none, String descriptor) {
                elements.add(NO_TEXT);
                return null;
            }
        };
    }
}
