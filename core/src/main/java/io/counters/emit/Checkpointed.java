package io.counters.emit;

/** What must know when its process is copied. {@link Checkpoints} calls it, on a thread that the JVM or a framework chooses. */
public interface Checkpointed {
    /** Called before an image of the process is made. Nothing may be open, and nothing may run, when it returns. */
    void beforeCheckpoint();

    /** Called in each process that was restored from the image, and in this one if no image was made. */
    void afterRestore();
}
