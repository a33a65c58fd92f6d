package io.syncline.gateway.table;

import io.syncline.gateway.dispatch.Submission;
import io.syncline.model.connection.Outcome;
import io.syncline.model.connection.SiteRequest;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;

/** A ring in which a worker decides as the test says, and a broker that takes what is announced unless told otherwise. */
final class FakeRing implements PullLedger.Ring {

    static final Function<SiteRequest.PullRequested, Submission> GRANTS_ALL = request -> new Submission.Decided(
            new Outcome.Granted(request.grant(), request.records()));

    final List<SiteRequest> asked = new CopyOnWriteArrayList<>();
    final List<SiteRequest> announced = new CopyOnWriteArrayList<>();
    volatile Function<SiteRequest.PullRequested, Submission> worker = GRANTS_ALL;
    volatile Function<SiteRequest, CompletableFuture<Void>> broker = request -> CompletableFuture.completedFuture(null);

    @Override
    public Submission submit(UUID requestId, SiteRequest request) {
        asked.add(request);
        return worker.apply((SiteRequest.PullRequested) request);
    }

    @Override
    public CompletableFuture<Void> announce(UUID requestId, SiteRequest request) {
        announced.add(request);
        return broker.apply(request);
    }

    List<SiteRequest.PullReported> reports() {
        return announced.stream()
                .filter(SiteRequest.PullReported.class::isInstance)
                .map(SiteRequest.PullReported.class::cast)
                .toList();
    }
}
