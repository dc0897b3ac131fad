package io.counters.cells;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.util.List;
import java.util.Map;

/**
 * Loads copies of our classes, like the loader of another application: each copy has its own static state. All other
 * classes are shared with the parent loader.
 */
public final class LoaderOfCopies extends ClassLoader {
    /** Loads a copy of every class whose name begins with one of these. */
    private final List<String> copied;

    public LoaderOfCopies(String... copied) {
        super(LoaderOfCopies.class.getClassLoader());
        this.copied = List.of(copied);
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
        if (copied.stream().noneMatch(name::startsWith)) {
            return super.loadClass(name, resolve);
        }
        synchronized (getClassLoadingLock(name)) {
            Class<?> known = findLoadedClass(name);
            return known != null ? known : copy(name);
        }
    }

    private Class<?> copy(String name) throws ClassNotFoundException {
        try (InputStream in = getParent().getResourceAsStream(name.replace('.', '/') + ".class")) {
            if (in == null) {
                throw new ClassNotFoundException(name);
            }
            byte[] bytes = in.readAllBytes();
            return defineClass(name, bytes, 0, bytes.length);
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }

    /** A copy of the cells in its own loader, called by reflection. */
    static final class CopiedCells {
        private final Class<?> cells;

        CopiedCells() {
            try {
                cells = Class.forName(Cells.class.getName(), true, new LoaderOfCopies("io.counters.cells.Cell"));
            } catch (ClassNotFoundException gone) {
                throw new AssertionError(gone);
            }
        }

        ClassLoader loader() {
            return cells.getClassLoader();
        }

        int id(String name) {
            return (Integer) call("id", new Class<?>[] {String.class}, name);
        }

        void add(int id, long amount) {
            call("add", new Class<?>[] {int.class, long.class}, id, amount);
        }

        void join(Object[] source) {
            call("join", new Class<?>[] {Object[].class}, (Object) source);
        }

        /** Clears this copy's entry in the calling thread's locals, as some pools do between tasks. */
        void clearLocals() {
            try {
                Field numbers = cells.getDeclaredField("NUMBERS");
                numbers.setAccessible(true);
                ((ThreadLocal<?>) numbers.get(null)).remove();
            } catch (ReflectiveOperationException gone) {
                throw new LinkageError("NUMBERS", gone);
            }
        }

        @SuppressWarnings("unchecked")
        List<Object[]> sources() {
            return (List<Object[]>) call("sources", new Class<?>[0]);
        }

        /** The sums of all sources that this copy sweeps, by name. */
        Map<String, Long> sums() {
            return Sums.of(sources());
        }

        private Object call(String method, Class<?>[] types, Object... arguments) {
            try {
                Object answer = cells.getMethod(method, types).invoke(null, arguments);
                return answer == null ? "" : answer;
            } catch (InvocationTargetException thrown) {
                throw new AssertionError(thrown.getCause());
            } catch (ReflectiveOperationException gone) {
                throw new LinkageError(method, gone);
            }
        }
    }
}
