package io.syncline.model.api;

/** The paths of the peers' protocol, below {@code /{prefix}/sync/api}. */
public final class SyncPaths {

    public static final String ROOT = "/sync/api";
    public static final String STATUS = "/status";
    public static final String REGISTER_CONNECTION = "/register-connection";
    public static final String VERIFY_CONNECTION = "/verify-connection";
    public static final String UPDATE_STATUS = "/update-status";
    public static final String DELETE_CONNECTION = "/delete-connection";
    public static final String GET_CONNECTION_STATUS = "/get-connection-status";
    public static final String LIST_TABLES = "/list-tables";
    public static final String TABLE_SCHEMA = "/table-schema";
    public static final String TABLE_RECORDS = "/table-records";
    public static final String PULL_DATA = "/pull-data";

    private SyncPaths() {}
}
