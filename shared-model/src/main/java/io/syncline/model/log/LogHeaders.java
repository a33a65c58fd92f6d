package io.syncline.model.log;

/**
 * Headers of the event log: CloudEvents 1.0 in Kafka's binary mode (the {@code ce_} attributes of its Kafka protocol
 * binding), with our extensions.
 */
final class LogHeaders {

    static final String SPEC_VERSION = "ce_specversion";
    static final String ID = "ce_id";
    static final String SOURCE = "ce_source";
    static final String TYPE = "ce_type";
    static final String TIME = "ce_time";
    static final String CONTENT_TYPE = "content-type";
    static final String REQUEST_ID = "ce_requestid";
    static final String REQUEST_OFFSET = "ce_requestoffset";
    static final String FENCE = "ce_fence";
    static final String SEQUENCE = "ce_sequence";
    static final String PREVIOUS_HASH = "ce_previoushash";
    static final String HASH = "ce_hash";
    static final String MAC_KEY = "ce_mackey";
    static final String MAC = "ce_mac";
    static final String SIGNING_KEY = "ce_signingkey";
    static final String SIGNATURE = "ce_signature";

    /** Never in Kafka: stands for a record that the client could not decode, with the cause. */
    static final String UNREADABLE = "ce_!unreadable";

    private LogHeaders() {}
}
