package io.syncline.standalone;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;

/**
 * The port that a part of the site listens on: the configured one, else last
 * time's, else a free one.
 */
final class RememberedPort {

    /**
     * Below Linux's range for outgoing connections (32768 and up), so that nothing
     * takes the port by chance between the look and the bind.
     */
    private static final int LOWEST = 20_000;
    private static final int HIGHEST = 32_000;
    private static final int ATTEMPTS = 200;

    /** By this JVM, whose parts start at once: until one listens its port looks free to the others. */
    private static final Set<Integer> GIVEN = ConcurrentHashMap.newKeySet();

    private RememberedPort() {}

    /**
     * @param configured
     *            0 for any
     * @throws IOException
     *             when the configured port is taken
     */
    static int choose(Path memory, int configured) throws IOException {
        int port = configured != 0 ? configured : remembered(memory);
        if (port == 0 || !isFree(port)) {
            if (configured != 0) {
                throw new IOException("port %d on 127.0.0.1 is taken; end what listens there or configure another port"
                        .formatted(configured));
            }
            port = anyFree();
        }
        GIVEN.add(port);
        if (port != remembered(memory)) {
            PrivateFiles.write(memory, port + "\n");
        }
        return port;
    }

    static int anyFree() throws IOException {
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            int port = ThreadLocalRandom.current().nextInt(LOWEST, HIGHEST);
            if (!GIVEN.contains(port) && isFree(port) && GIVEN.add(port)) {
                return port;
            }
        }
        throw new IOException("no free port found on 127.0.0.1 in %d attempts between %d and %d"
                .formatted(ATTEMPTS, LOWEST, HIGHEST));
    }

    static boolean isFree(int port) {
        try (ServerSocket probe = new ServerSocket()) {
            probe.bind(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), port));
            return true;
        } catch (IOException taken) {
            return false;
        }
    }

    private static int remembered(Path memory) throws IOException {
        String text = PrivateFiles.read(memory);
        if (text == null || !text.matches("[1-9][0-9]{0,4}")) {
            return 0;
        }
        int port = Integer.parseInt(text);
        return port < 65_536 ? port : 0;
    }
}
