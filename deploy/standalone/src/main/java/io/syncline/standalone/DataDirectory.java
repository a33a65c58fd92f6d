package io.syncline.standalone;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;

import org.jspecify.annotations.Nullable;

/** Where one standalone keeps everything, and keeps all others out. */
final class DataDirectory implements AutoCloseable {

    private final Path path;
    private final FileChannel lock;

    private DataDirectory(Path path, FileChannel lock) {
        this.path = path;
        this.lock = lock;
    }

    /**
     * @throws InUseException
     *             when another standalone has it
     */
    static DataDirectory open(Path path) throws IOException, InUseException {
        Path directory = PrivateFiles.directory(path.toAbsolutePath().normalize());
        FileChannel channel = FileChannel.open(directory.resolve("lock"),
                Set.of(StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE),
                PosixFilePermissions.asFileAttribute(PrivateFiles.OWNER_ONLY_FILE));
        if (!locks(channel)) {
            String owner = text(channel);
            channel.close();
            throw new InUseException(directory, owner);
        }
        channel.truncate(0);
        channel.write(ByteBuffer.wrap(Long.toString(ProcessHandle.current().pid()).getBytes(StandardCharsets.UTF_8)));
        return new DataDirectory(directory, channel);
    }

    Path path() {
        return path;
    }

    Path database() {
        return path.resolve("postgresql");
    }

    Path broker() {
        return path.resolve("kafka");
    }

    /** For the command line tools of Kafka: --command-config and the like. */
    Path brokerClientFile() {
        return broker().resolve("client.properties");
    }

    Path keyFile() {
        return path.resolve("keys");
    }

    Path adminTokenFile() {
        return path.resolve("admin.token");
    }

    /** For curl's -H @file. */
    Path adminHeaderFile() {
        return path.resolve("admin.header");
    }

    /** The bodies of the calls that somebody may try, with the credential in them. */
    Path tryFile(String name) throws IOException {
        return PrivateFiles.directory(path.resolve("try")).resolve(name);
    }

    boolean has(String mark) {
        return Files.exists(path.resolve(mark));
    }

    void mark(String mark) throws IOException {
        PrivateFiles.write(path.resolve(mark), "");
    }

    /** Lets the next one in. */
    @Override
    public void close() throws IOException {
        lock.close();
    }

    private static boolean locks(FileChannel channel) throws IOException {
        try {
            @Nullable FileLock lock = channel.tryLock();
            return lock != null;
        } catch (OverlappingFileLockException byThisJvm) {
            return false;
        }
    }

    private static String text(FileChannel channel) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(20);
        channel.read(bytes, 0);
        return new String(bytes.array(), 0, bytes.position(), StandardCharsets.UTF_8);
    }

    /** Somebody else is in; the message names the directory, the process and the ways out. */
    static final class InUseException extends Exception {

        InUseException(Path directory, String pid) {
            super("syncline.data-dir: %s is in use by process %s; end that one (Ctrl-C, or kill %s), or give this one another directory: --syncline.data-dir=<directory>"
                    .formatted(directory, pid.isEmpty() ? "unknown" : pid, pid.isEmpty() ? "<pid>" : pid));
        }
    }
}
