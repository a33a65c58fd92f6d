package io.syncline.standalone;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class RememberedPortIT {

    @Test
    void anyFree_noPortTwice_thoughNobodyListensOnTheFirstYet() throws Exception {
        List<Integer> ports = new ArrayList<>();
        for (int i = 0; i < 1_000; i++) {
            ports.add(RememberedPort.anyFree());
        }
        assertThat(ports).doesNotHaveDuplicates();
    }
}
