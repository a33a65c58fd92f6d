package io.syncline.standalone;

import io.syncline.gateway.GatewayApplication;
import io.syncline.worker.WorkerApplication;

/** Starts a whole site. */
public final class StandaloneLauncher {

    private StandaloneLauncher() {}

    public static void main(String[] args) {
        WorkerApplication.application().run(args);
        GatewayApplication.application().run(args);
    }
}
