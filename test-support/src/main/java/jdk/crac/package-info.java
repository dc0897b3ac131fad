/**
 * A stand-in for the API of a JVM with CRaC, for tests on a JVM without it: its types, with what programs see of them. Its
 * context tells the resources, but makes no image. {@code org.crac} finds it as it finds the JVM's own.
 *
 * <p>Internal: any release may change it.
 */
package jdk.crac;
