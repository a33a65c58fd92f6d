package io.syncline.model.table;

import static org.assertj.core.api.Assertions.assertThat;

import io.syncline.model.testing.HostileSettings;
import org.junit.jupiter.api.Test;

class SessionSettingsTest {

    @Test
    void eachSettingIsSet_alsoAtTheStart_andIsTriedByTests() {
        assertThat(SessionSettings.ALL).allSatisfy(setting -> {
            assertThat(SessionSettings.statements("public"))
                    .contains("SET " + setting.name() + " = '" + setting.value() + "'");
            assertThat(SessionSettings.options()).contains("-c " + setting.name() + "=");
            assertThat(HostileSettings.ALL).hasEntrySatisfying(setting.name(),
                    hostile -> assertThat(hostile).isNotEqualTo(setting.value()));
        });
    }

    @Test
    void aBlankInAnOption_doesNotEndIt() {
        assertThat(SessionSettings.options()).contains("-c default_transaction_isolation=read\\ committed ");
    }
}
