package io.syncline.gateway.http;

import io.syncline.gateway.state.Check;
import java.util.function.Supplier;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.HealthIndicator;

/** One thing that this gateway cannot do without, with cause and remedy; part of readiness, never of liveness. */
public final class ReadinessIndicator implements HealthIndicator {

    private final Supplier<Check> check;

    public ReadinessIndicator(Supplier<Check> check) {
        this.check = check;
    }

    @Override
    public Health health() {
        return switch (check.get()) {
            case Check.Up up -> Health.up().build();
            case Check.Limited limited -> Health.up()
                    .withDetail("cause", limited.cause())
                    .withDetail("remedy", limited.remedy())
                    .build();
            case Check.Down down -> Health.outOfService()
                    .withDetail("cause", down.cause())
                    .withDetail("remedy", down.remedy())
                    .build();
        };
    }
}
