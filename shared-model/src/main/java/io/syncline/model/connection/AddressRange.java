package io.syncline.model.connection;

import java.net.InetAddress;
import java.util.Optional;

/**
 * An address, or a range of them in CIDR form, of IPv4 or IPv6. Literals only: nothing is looked up. An IPv4 address that
 * is written into IPv6 ({@code ::ffff:192.0.2.1}) is that IPv4 address.
 */
public record AddressRange(InetAddress base, int prefix) {

    private static final int BYTE = 8;
    private static final int MAPPED_PREFIX = 96;

    /** The range of a text; empty where it is none, or has bits behind its prefix. */
    public static Optional<AddressRange> parse(String text) {
        int slash = text.indexOf('/');
        if (slash < 0) {
            return address(text).map(address -> new AddressRange(address, bits(address)));
        }
        String written = text.substring(0, slash);
        Optional<InetAddress> base = address(written);
        Optional<Integer> prefix = prefix(text.substring(slash + 1));
        if (base.isEmpty() || prefix.isEmpty()) {
            return Optional.empty();
        }
        boolean mapped = written.indexOf(':') >= 0 && bits(base.get()) == 4 * BYTE;
        int length = mapped ? prefix.get() - MAPPED_PREFIX : prefix.get();
        if (length < 0 || length > bits(base.get())) {
            return Optional.empty();
        }
        AddressRange range = new AddressRange(base.get(), length);
        return range.bitsBehindPrefix() ? Optional.empty() : Optional.of(range);
    }

    /** The address of a literal; IPv4 with all four numbers, as an address is written back. */
    public static Optional<InetAddress> address(String text) {
        if (text.indexOf('%') >= 0 || text.isEmpty() || text.length() > 45) {
            return Optional.empty();
        }
        try {
            InetAddress address = InetAddress.ofLiteral(text);
            return text.indexOf(':') >= 0 || address.getHostAddress().equals(text) ? Optional.of(address)
                    : Optional.empty();
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    public boolean contains(InetAddress address) {
        byte[] ours = base.getAddress();
        byte[] theirs = address.getAddress();
        if (ours.length != theirs.length) {
            return false;
        }
        int whole = prefix / BYTE;
        for (int i = 0; i < whole; i++) {
            if (ours[i] != theirs[i]) {
                return false;
            }
        }
        int rest = prefix % BYTE;
        int mask = 0xff << (BYTE - rest) & 0xff;
        return rest == 0 || (ours[whole] & mask) == (theirs[whole] & mask);
    }

    private boolean bitsBehindPrefix() {
        byte[] bytes = base.getAddress();
        for (int bit = prefix; bit < bytes.length * BYTE; bit++) {
            if ((bytes[bit / BYTE] >> (BYTE - 1 - bit % BYTE) & 1) != 0) {
                return true;
            }
        }
        return false;
    }

    private static Optional<Integer> prefix(String text) {
        return text.matches("0|[1-9][0-9]{0,2}") ? Optional.of(Integer.parseInt(text)) : Optional.empty();
    }

    private static int bits(InetAddress address) {
        return address.getAddress().length * BYTE;
    }
}
