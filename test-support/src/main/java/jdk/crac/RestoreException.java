package jdk.crac;

/** Resources that failed after a restore. */
public class RestoreException extends Exception {
    private static final long serialVersionUID = 1;
}
