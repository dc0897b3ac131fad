package io.counters.agent.weave;

import net.bytebuddy.jar.asm.ClassVisitor;
import net.bytebuddy.jar.asm.ModuleVisitor;
import net.bytebuddy.jar.asm.Opcodes;
import org.jspecify.annotations.Nullable;

/** Reads a module's descriptor. Apart from {@link Weaving}, which every start loads, because this needs classes of ASM. */
public final class ModuleFile {
    private static final String API_MODULE = "counters.core";

    private ModuleFile() {}

    /** Whether a module's descriptor, module-info.class, requires the API at run time, and not only where it is compiled. */
    public static boolean requiresApi(byte[] descriptor) {
        boolean[] found = {false};
        Weaving.reader(descriptor)
                .accept(
                        new ClassVisitor(Opcodes.ASM9) {
                            @Override
                            public ModuleVisitor visitModule(String name, int access, @Nullable String version) {
                                return new ModuleVisitor(Opcodes.ASM9) {
                                    @Override
                                    public void visitRequire(String module, int access, @Nullable String version) {
                                        found[0] |=
                                                module.equals(API_MODULE) && (access & Opcodes.ACC_STATIC_PHASE) == 0;
                                    }
                                };
                            }
                        },
                        0);
        return found[0];
    }
}
