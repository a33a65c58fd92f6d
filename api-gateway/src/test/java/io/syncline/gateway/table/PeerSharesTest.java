package io.syncline.gateway.table;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class PeerSharesTest {

    private static final UUID ONE = UUID.randomUUID();
    private static final UUID OTHER = UUID.randomUUID();

    private final PeerShares shares = new PeerShares(2);

    @Test
    void noPeerHasMoreThanItsShare() throws Exception {
        assertThat(take(ONE)).isTrue();
        assertThat(take(ONE)).isTrue();
        assertThat(take(ONE)).isFalse();
        assertThat(take(OTHER)).isTrue();

        shares.giveBack(ONE);
        assertThat(take(ONE)).isTrue();
        assertThat(take(ONE)).isFalse();
    }

    @Test
    void whoHasGivenAllBack_startsAnew() throws Exception {
        for (int i = 0; i < 5; i++) {
            assertThat(take(ONE)).isTrue();
            shares.giveBack(ONE);
        }
        assertThat(take(ONE) && take(ONE)).isTrue();
        assertThat(take(ONE)).isFalse();
    }

    private boolean take(UUID peer) throws InterruptedException {
        return shares.take(peer, Duration.ZERO);
    }
}
