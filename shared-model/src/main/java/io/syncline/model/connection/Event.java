package io.syncline.model.connection;

/** A fact of the connection event log. */
public sealed interface Event permits SiteEvent, SettingsEvent {

    /** The key of the settings' facts and requests; no site URL is equal to it. */
    String SETTINGS_KEY = "settings";

    /** The record key in Kafka, which decides the partition: the site URL, or {@link #SETTINGS_KEY}. */
    String key();
}
