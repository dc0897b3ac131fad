package jdk.crac;

import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** Has the global context. Refers to resources weakly, and tells those that registered last first, as a JVM does. */
public final class Core {
    private static final Context<Resource> GLOBAL = new Context<>() {
        private final List<WeakReference<Resource>> resources = new ArrayList<>();

        @Override
        public synchronized void register(Resource resource) {
            resources.add(new WeakReference<>(resource));
        }

        @Override
        public void beforeCheckpoint(Context<? extends Resource> context) throws CheckpointException {
            List<Resource> last = living();
            Collections.reverse(last);
            for (Resource resource : last) {
                try {
                    resource.beforeCheckpoint(this);
                } catch (Exception failed) {
                    throw (CheckpointException) new CheckpointException().initCause(failed);
                }
            }
        }

        @Override
        public void afterRestore(Context<? extends Resource> context) throws RestoreException {
            for (Resource resource : living()) {
                try {
                    resource.afterRestore(this);
                } catch (Exception failed) {
                    throw (RestoreException) new RestoreException().initCause(failed);
                }
            }
        }

        private synchronized List<Resource> living() {
            List<Resource> living = new ArrayList<>();
            for (WeakReference<Resource> one : resources) {
                Resource resource = one.get();
                if (resource != null) {
                    living.add(resource);
                }
            }
            return living;
        }
    };

    private Core() {}

    /** The context of the JVM. */
    public static Context<Resource> getGlobalContext() {
        return GLOBAL;
    }

    /** A JVM makes an image here, which is restored in this or another process; this only tells the resources. */
    public static void checkpointRestore() throws CheckpointException, RestoreException {
        GLOBAL.beforeCheckpoint(GLOBAL);
        GLOBAL.afterRestore(GLOBAL);
    }
}
