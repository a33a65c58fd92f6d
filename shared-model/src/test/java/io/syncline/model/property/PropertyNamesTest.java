package io.syncline.model.property;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class PropertyNamesTest {

    record Example(Duration howLong, Nested nested, List<String> several) {
        record Nested(int howMany, Set<String> others) {}
    }

    private static final PropertyNames KNOWN = new PropertyNames().with("syncline.example", Example.class)
            .with(List.of("syncline.data-dir", "syncline.database."))
            .with(new PropertyNames().with(List.of("syncline.prefix")));

    @Test
    void unknown_notWhatARecordIsBoundTo_howeverItIsWritten() {
        assertThat(KNOWN.unknown(List.of("syncline.example.how-long", "syncline.example.howLong",
                "syncline.example.HOW_LONG", "syncline.example.nested.how-many", "syncline.example.several",
                "syncline.example.several[0]", "syncline.example.nested.others[11]"))).isEmpty();
    }

    @Test
    void unknown_notWhatIsNamed_norWhatBeginsSo_norWhatIsNotOurs() {
        assertThat(KNOWN.unknown(List.of("syncline.dataDir", "syncline.database.url", "syncline.prefix", "server.port",
                "synclinex.y"))).isEmpty();
    }

    @Test
    void unknown_whatNobodyReads_eachOnce() {
        assertThat(KNOWN.unknown(List.of("syncline.sauce.url", "syncline.example.how-lng", "syncline.example",
                "syncline.example.nested", "syncline.example.how-long[0]", "syncline.data-dir.x",
                "syncline.sauce.url"))).containsExactly("syncline.data-dir.x", "syncline.example",
                        "syncline.example.how-lng", "syncline.example.how-long[0]", "syncline.example.nested",
                        "syncline.sauce.url");
    }
}
