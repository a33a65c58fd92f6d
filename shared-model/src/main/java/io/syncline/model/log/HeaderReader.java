package io.syncline.model.log;

import io.syncline.model.credential.CredentialKeys;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.UUID;

/** Reads the headers of a log record; whatever is not as we write it is a {@link MalformedRecordException}. */
final class HeaderReader {

    private final LogRecord record;

    HeaderReader(LogRecord record) {
        this.record = record;
    }

    /** Checks source, hash and MAC, and gives the hash. */
    byte[] verified(CredentialKeys keys, String source) {
        byte[] hash = hashed(source);
        if (!keys.knowsMac(text(LogHeaders.MAC_KEY))) {
            throw MalformedRecordException.ofUnknownKey();
        }
        if (!keys.verifyMac(text(LogHeaders.MAC_KEY), hash, hex(LogHeaders.MAC))) {
            throw new MalformedRecordException("the MAC was not made with a key of this cluster");
        }
        return hash;
    }

    /** Checks source and hash only. */
    byte[] hashed(String source) {
        byte[] unreadable = record.headers().get(LogHeaders.UNREADABLE);
        if (unreadable != null) {
            throw new MalformedRecordException("the client cannot read it: "
                    + new String(unreadable, StandardCharsets.UTF_8), MalformedRecordException.Kind.UNREADABLE);
        }
        if (!text(LogHeaders.SPEC_VERSION).equals("1.0") || !text(LogHeaders.SOURCE).equals(source)) {
            throw new MalformedRecordException("the record was not written for this partition");
        }
        byte[] hash = hex(LogHeaders.HASH);
        if (!Arrays.equals(hash, HashChain.hash(record))) {
            throw new MalformedRecordException("the hash is not that of the record");
        }
        return hash;
    }

    String text(String name) {
        byte[] value = record.headers().get(name);
        if (value == null) {
            throw new MalformedRecordException("header " + name + " is missing");
        }
        return new String(value, StandardCharsets.UTF_8);
    }

    long number(String name) {
        try {
            return Long.parseLong(text(name));
        } catch (NumberFormatException e) {
            throw new MalformedRecordException("header " + name + " is no number");
        }
    }

    UUID uuid(String name) {
        try {
            return UUID.fromString(text(name));
        } catch (IllegalArgumentException e) {
            throw new MalformedRecordException("header " + name + " is no UUID");
        }
    }

    byte[] hex(String name) {
        try {
            return HexFormat.of().parseHex(text(name));
        } catch (IllegalArgumentException e) {
            throw new MalformedRecordException("header " + name + " is not hexadecimal");
        }
    }
}
