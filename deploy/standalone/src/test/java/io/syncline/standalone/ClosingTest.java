package io.syncline.standalone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.syncline.standalone.Closing.Part;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

class ClosingTest {

    private final List<String> stopped = Collections.synchronizedList(new ArrayList<>());
    private final Closing closing = new Closing(_ -> Duration.ofMinutes(1));

    @Test
    void close_applicationsThenBrokerThenDatabase() {
        add(Part.DATA_DIRECTORY);
        add(Part.BROKER);
        add(Part.DATABASE);
        add(Part.WORKER);
        add(Part.GATEWAY);
        closing.close();
        closing.close();
        assertThat(stopped).containsExactly("GATEWAY", "WORKER", "BROKER", "DATABASE", "DATA_DIRECTORY");
    }

    @Test
    void close_goesOnWithoutAPartThatFailsOrHangs() {
        CountDownLatch never = new CountDownLatch(1);
        Closing impatient = new Closing(
                part -> part == Part.WORKER ? Duration.ofMillis(100) : Duration.ofMinutes(1));
        impatient.add(Part.DATABASE, () -> stopped.add("DATABASE"));
        impatient.add(Part.BROKER, () -> {
            throw new IllegalStateException("broken");
        });
        impatient.add(Part.WORKER, never::await);
        impatient.close();
        assertThat(stopped).containsExactly("DATABASE");
    }

    @Test
    void add_stopsAtOnceWhatComesTooLate() {
        closing.close();
        assertThatThrownBy(() -> add(Part.GATEWAY)).isInstanceOf(Closing.ClosingException.class);
        assertThat(stopped).containsExactly("GATEWAY");
    }

    private void add(Part part) {
        closing.add(part, () -> stopped.add(part.name()));
    }
}
