package io.counters.collector.commands;

import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.AutoComplete;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code generate-completion}: prints a script for bash and zsh. */
@Command(
        name = "generate-completion",
        hidden = true,
        mixinStandardHelpOptions = true,
        description = {
            "Prints a script that completes the commands and flags of 'counters' in bash and zsh.",
            "A shell completes arguments by the name of the program, so give the jar one: alias counters='java -jar"
                    + " /opt/counters/collector.jar'. Then: source <(counters generate-completion)"
        })
public final class ShellCompletion implements Callable<Integer> {
    private static final String COMMAND = "counters";

    @Spec
    private @Nullable CommandSpec spec;

    private final Shell shell;

    public ShellCompletion(Shell shell) {
        this.shell = shell;
    }

    @Override
    public Integer call() {
        if (spec != null) {
            shell.out().println(AutoComplete.bash(COMMAND, spec.root().commandLine()));
        }
        return 0;
    }
}
