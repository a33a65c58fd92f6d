package io.syncline.model.connection;

/** What somebody asks for; decided by the worker, never refused in the log. */
public sealed interface Request permits SiteRequest, SettingsRequest {

    /** The record key in Kafka, which decides the partition: the site URL, or {@link Event#SETTINGS_KEY}. */
    String key();
}
