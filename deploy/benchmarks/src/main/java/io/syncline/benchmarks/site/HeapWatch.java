package io.syncline.benchmarks.site;

import com.sun.tools.attach.AttachNotSupportedException;
import com.sun.tools.attach.VirtualMachine;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryMXBean;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryType;
import java.lang.management.MemoryUsage;
import java.util.List;
import javax.management.MBeanServerConnection;
import javax.management.remote.JMXConnector;
import javax.management.remote.JMXConnectorFactory;
import javax.management.remote.JMXServiceURL;

/** Looks at the heap of another JVM on this machine. */
public final class HeapWatch implements AutoCloseable {

    private static final double MEGABYTE = 1 << 20;

    private final JMXConnector connector;
    private final MemoryMXBean memory;
    private final List<MemoryPoolMXBean> pools;

    private HeapWatch(JMXConnector connector) throws IOException {
        this.connector = connector;
        MBeanServerConnection server = connector.getMBeanServerConnection();
        memory = ManagementFactory.getPlatformMXBean(server, MemoryMXBean.class);
        pools = ManagementFactory.getPlatformMXBeans(server, MemoryPoolMXBean.class)
                .stream()
                .filter(pool -> pool.getType() == MemoryType.HEAP)
                .toList();
    }

    // What answers is a child of ours.
    @SuppressWarnings("BanJNDI")
    static HeapWatch of(long pid) throws IOException {
        try {
            VirtualMachine machine = VirtualMachine.attach(Long.toString(pid));
            try {
                return new HeapWatch(
                        JMXConnectorFactory.connect(new JMXServiceURL(machine.startLocalManagementAgent())));
            } finally {
                machine.detach();
            }
        } catch (AttachNotSupportedException e) {
            throw new IOException("JVM " + pid + " cannot be looked at", e);
        }
    }

    /** Begins anew, with what is in use after a collection. */
    public void begin() {
        memory.gc();
        pools.forEach(MemoryPoolMXBean::resetPeakUsage);
    }

    /**
     * What there has been since then, in MB.
     *
     * @param most  in use at any time, what nothing refers to any more included: the sum of each pool's own most
     * @param after what was left after a collection of everything now
     * @param bound of the heap
     */
    public record Seen(double most, double after, double bound) {}

    public Seen seen() {
        double most = pools.stream().mapToLong(pool -> pool.getPeakUsage().getUsed()).sum() / MEGABYTE;
        memory.gc();
        MemoryUsage after = memory.getHeapMemoryUsage();
        return new Seen(most, after.getUsed() / MEGABYTE, after.getMax() / MEGABYTE);
    }

    @Override
    public void close() throws IOException {
        connector.close();
    }
}
