package io.counters.collector.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.UserPrincipal;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The lock of a data folder, whose owner may have put anything in its place before root restores a backup there. */
class FolderLockTest {
    @TempDir
    Path folder;

    @Test
    void a_folder_has_one_lock_and_what_was_there_is_not_changed() throws Exception {
        Files.writeString(folder.resolve("ledger.lock"), "of an earlier run");

        try (FolderLock lock = new FolderLock(folder)) {
            assertThat(lock.folder()).isEqualTo(folder);
            assertThatThrownBy(() -> new FolderLock(folder))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("is in use by another collector");
        }

        assertThat(folder.resolve("ledger.lock")).hasContent("of an earlier run");
        assertThat(FolderLock.isHeld(folder)).isFalse();
    }

    @Test
    @Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void a_pipe_in_the_place_of_the_lock_is_refused_and_not_waited_for() throws Exception {
        Process made =
                new ProcessBuilder("mkfifo", folder.resolve("ledger.lock").toString()).start();
        assertThat(made.waitFor()).isZero();

        assertThatThrownBy(() -> new FolderLock(folder))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("ledger.lock is not a regular file; remove it");
        assertThat(FolderLock.isHeld(folder)).isFalse();
    }

    @Test
    void what_has_another_name_is_not_given_away() throws Exception {
        assumeThat(System.getProperty("user.name"))
                .as("only root can give files to another user")
                .isEqualTo("root");
        UserPrincipal collector =
                folder.getFileSystem().getUserPrincipalLookupService().lookupPrincipalByName("nobody");
        Path secret = Files.writeString(folder.resolve("secret"), "root's");
        Path data = Files.createDirectory(folder.resolve("data"));
        Files.setOwner(data, collector);

        Path link = Files.createLink(data.resolve("created"), secret);
        assertThatThrownBy(() -> RestoredFile.give(link))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("created was replaced as soon as it was created");

        assertThat(Files.getOwner(secret)).isNotEqualTo(collector);
        Files.createLink(data.resolve("ledger.lock"), secret);
        new FolderLock(data).close();
        assertThat(Files.getOwner(secret)).isNotEqualTo(collector);
        Files.delete(data.resolve("ledger.lock"));
        new FolderLock(data).close();
        assertThat(Files.getOwner(data.resolve("ledger.lock"))).isEqualTo(collector);
    }
}
