package jdk.crac;

/** Resources that failed before a checkpoint. */
public class CheckpointException extends Exception {
    private static final long serialVersionUID = 1;
}
