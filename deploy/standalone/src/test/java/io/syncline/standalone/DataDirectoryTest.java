package io.syncline.standalone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DataDirectoryTest {

    @TempDir Path folder;

    @Test
    void open_forItsOwnerAlone() throws Exception {
        Path existing = Files.createDirectory(folder.resolve("existing"),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxr-xr-x")));
        try (DataDirectory made = DataDirectory.open(folder.resolve("new/.syncline"));
                DataDirectory found = DataDirectory.open(existing)) {
            assertThat(permissions(made.path())).isEqualTo("rwx------");
            assertThat(permissions(found.path())).isEqualTo("rwx------");
            assertThat(permissions(found.path().resolve("lock"))).isEqualTo("rw-------");
        }
    }

    @Test
    void open_refusesTheSecondAndNamesTheFirst() throws Exception {
        Path path = folder.resolve(".syncline");
        try (DataDirectory first = DataDirectory.open(path)) {
            assertThatThrownBy(() -> DataDirectory.open(path)).isInstanceOf(DataDirectory.InUseException.class)
                    .hasMessageContaining(first.path().toString())
                    .hasMessageContaining("process " + ProcessHandle.current().pid())
                    .hasMessageContaining("--syncline.data-dir=");
        }
        DataDirectory.open(path).close();
    }

    @Test
    void secret_madeOnceForItsOwnerAlone() throws Exception {
        Path file = folder.resolve("token");
        String made = PrivateFiles.secret(file);
        assertThat(made).hasSize(43).matches("[A-Za-z0-9_-]+");
        assertThat(permissions(file)).isEqualTo("rw-------");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));
        assertThat(PrivateFiles.secret(file)).isEqualTo(made);
        assertThat(permissions(file)).isEqualTo("rw-------");
    }

    @Test
    void write_replacesWholeWhateverAKillLeftBehind() throws Exception {
        Path file = folder.resolve("header");
        Files.writeString(folder.resolve("header.new"), "half a li");
        PrivateFiles.write(file, "one\n");
        PrivateFiles.write(file, "two\n");
        assertThat(file).hasContent("two\n");
        assertThat(permissions(file)).isEqualTo("rw-------");
        assertThat(folder.resolve("header.new")).doesNotExist();
    }

    private static String permissions(Path path) throws IOException {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
    }
}
