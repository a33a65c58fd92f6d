package io.syncline.worker.capture.debezium;

import static org.assertj.core.api.Assertions.assertThat;

import io.debezium.DebeziumException;
import java.io.IOException;
import java.sql.SQLException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.postgresql.util.PSQLException;
import org.postgresql.util.ServerErrorMessage;

class UndecodableExceptionTest {

    @ParameterizedTest
    @ValueSource(strings = {"22021", "22P05", "22P02", "42704", "42P01", "42703", "0A000", "XX000", "XX001"})
    void whatTheSourceCannotDecode(String state) {
        assertThat(UndecodableException.of(new SQLException("no", state)))
                .isNotNull()
                .returns(state, UndecodableException::kind)
                .returns(null, UndecodableException::lsn);
    }

    /** Connections, rights, memory, disk, locks, limits, shutdowns, a slot that is in use, settings of the server. */
    @ParameterizedTest
    @ValueSource(strings = {"08000", "08006", "08P01", "28P01", "28000", "42501", "53000", "53100", "53200", "53300",
        "53400", "54000",
        "55000", "55006", "55P03", "57000", "57014", "57P01", "57P02", "57P03", "57P05", "58000", "58030", "58P01",
        "25006",
        "3D000", "40001", "40P01", ""})
    void whatMayPass(String state) {
        assertThat(UndecodableException.of(new SQLException("no", state))).isNull();
    }

    @Test
    void aFailureWithoutASqlState_isOfNoDecoding() {
        assertThat(UndecodableException.of(new SQLException("no"))).isNull();
    }

    @Test
    void thePlaceIsReadFromTheContext_inAnyLanguage() {
        SQLException problem = new PSQLException(new ServerErrorMessage(
                "SFEHLER\0C22021\0Mungültige Byte-Sequenz\0WSlot »0/1«, Ausgabe-Plugin »pgoutput«, im Callback change,"
                        + " zugehörige LSN 1A/398D958\0\0"));
        assertThat(UndecodableException.of(problem)).isNotNull()
                .returns("1A/398D958", UndecodableException::lsn)
                .returns("22021", UndecodableException::kind);
    }

    @Test
    void aFailureOfDebeziums_countsUnlessItComesFromAskingForMore() {
        assertThat(UndecodableException.of(new IllegalArgumentException("Invalid identifier: \"public\".\"t1")))
                .isNotNull()
                .returns("IllegalArgumentException", UndecodableException::kind);
        assertThat(UndecodableException.of(new DebeziumException("x", new SQLException("gone", "57P01")))).isNull();
        assertThat(UndecodableException.of(new DebeziumException("x", new IOException("gone")))).isNull();
        assertThat(UndecodableException.of(new DebeziumException("x", new InterruptedException()))).isNull();
        assertThat(UndecodableException.of(new DebeziumException("x", new OutOfMemoryError()))).isNull();
    }
}
