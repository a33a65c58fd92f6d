package io.syncline.gateway.state;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariDataSource;
import io.syncline.gateway.state.StateReads.Seen;
import io.syncline.gateway.state.StateReads.Shown;
import io.syncline.model.table.SessionSettings;
import io.syncline.model.testing.HostileSettings;
import io.syncline.model.testing.TestPostgres;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import javax.sql.DataSource;
import org.assertj.core.util.Throwables;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.jdbc.datasource.AbstractDataSource;

/** Which databases are answered from, and when. */
class StateDatabaseIT {

    private static final int PARTITIONS = 4;
    private static final Partitions KEYS = new Partitions(PARTITIONS);
    private static final String SITE = siteIn(1);
    private static final String OTHER_SITE = siteIn(0);
    private static final Duration PATIENCE = Duration.ofMinutes(1);

    private static EmbeddedPostgres postgres;
    /** Another server, with the same tables. */
    private static EmbeddedPostgres other;

    private final HighWater highWater = new HighWater(PARTITIONS);
    private final Servers servers = new Servers(highWater);
    private final Switch database = new Switch();
    private final StateReads reads = new StateReads(database, servers, highWater);
    private HikariDataSource pool;

    @BeforeAll
    static void start() throws Exception {
        postgres = TestPostgres.start();
        other = TestPostgres.start();
    }

    @AfterAll
    static void stop() throws Exception {
        postgres.close();
        other.close();
    }

    @BeforeEach
    void schema() throws SQLException {
        for (EmbeddedPostgres one : List.of(postgres, other)) {
            execute(one, "DROP SCHEMA IF EXISTS syncline CASCADE; CREATE SCHEMA syncline;"
                    + " CREATE TABLE syncline.log_head (partition integer PRIMARY KEY, sequence bigint NOT NULL,"
                    + " log_sequence bigint NOT NULL);"
                    + " CREATE TABLE syncline.connection_event (partition integer, sequence bigint, key text);"
                    + " INSERT INTO syncline.log_head VALUES (0, 10, 10), (1, 5, 5)");
        }
        pool = open(postgres);
        database.now = pool;
    }

    @AfterEach
    void close() {
        pool.close();
    }

    private HikariDataSource open(EmbeddedPostgres server) {
        return new StateDatabase(server.getJdbcUrl("postgres", "postgres"), "postgres", null, servers)
                .pool("test", 2, Duration.ofSeconds(1));
    }

    private static String siteIn(int partition) {
        for (int i = 0;; i++) {
            String site = "http://site-" + i + ".example";
            if (KEYS.of(site) == partition) {
                return site;
            }
        }
    }

    private static void execute(EmbeddedPostgres server, String sql) throws SQLException {
        try (Connection connection = server.getPostgresDatabase().getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    /** A worker commits the site's next event. */
    private static void commit(EmbeddedPostgres server, String site, long sequence) throws SQLException {
        execute(server,
                "INSERT INTO syncline.connection_event VALUES (" + KEYS.of(site) + ", " + sequence + ", '" + site
                        + "'); UPDATE syncline.log_head SET sequence = " + sequence + " WHERE partition = "
                        + KEYS.of(site));
    }

    private void endsAreRead(Integer... partitions) {
        for (int partition : partitions) {
            highWater.endRead(partition, highWater.sights());
        }
    }

    /** As a peer's call does: with what it shows of a site. */
    private String port(String site) throws SQLException {
        return reads.read(connection -> {
            try (PreparedStatement statement = connection.prepareStatement("SELECT inet_server_port()::text, "
                    + StateReads.SERVER + ", " + StateReads.lastEvent("?"))) {
                statement.setString(1, site);
                try (ResultSet row = statement.executeQuery()) {
                    row.next();
                    return new Seen<>(row.getString(1), StateReads.server(row, 2), List.of(reads.shown(site, row, 3)));
                }
            }
        });
    }

    private String answer(String site) {
        return Awaitility.await()
                .atMost(PATIENCE)
                .ignoreExceptionsInstanceOf(SQLException.class)
                .until(() -> port(site), answer -> true);
    }

    /** Never answered; and asked until it is for that reason, since a machine that is too slow is one too. */
    private void assertBehind(String site, String saying) {
        assertRefused(() -> port(site),
                e -> Throwables.getStackTrace(e).contains("StateDatabaseBehindException: " + saying));
    }

    private interface Ask {
        Object go() throws SQLException;
    }

    private static void assertRefused(Ask ask, Predicate<SQLException> reason) {
        Awaitility.await().atMost(PATIENCE).until(() -> {
            try {
                throw new AssertionError("answered: " + ask.go());
            } catch (SQLException e) {
                return e;
            }
        }, reason);
    }

    private static String name(EmbeddedPostgres server) {
        return Integer.toString(server.getPort());
    }

    @Test
    void nothingIsAnsweredBeforeTheLogHasBeenRead_andThenEachPartitionForItself() {
        assertBehind(SITE, "it is not known yet how far the event log has come: the end of partition 1 cannot be read:"
                + " it has not been read yet");
        highWater.endUnread(0, "its leader did not answer in 5 s");
        endsAreRead(1, 2, 3);
        assertThat(answer(SITE)).isEqualTo(name(postgres));
        assertBehind(OTHER_SITE, "it is not known yet how far the event log has come: the end of partition 0 cannot be"
                + " read: its leader did not answer in 5 s");
        endsAreRead(0);
        assertThat(answer(OTHER_SITE)).isEqualTo(name(postgres));
    }

    @Test
    void anEndThatIsReadWhileACallWaits_hasItAnswered() throws Exception {
        CompletableFuture<String> waiting = CompletableFuture.supplyAsync(() -> answer(SITE));
        Awaitility.await().atMost(PATIENCE).until(() -> highWater.sights() == 1);
        endsAreRead(1);
        assertThat(waiting.get(1, TimeUnit.MINUTES)).isEqualTo(name(postgres));
    }

    @Test
    void aDatabaseThatIsBehindTheLog_isAnsweredFromWhenItHasCaughtUp_partitionByPartition() throws SQLException {
        highWater.seen(1, 6);
        answerOnceRead(OTHER_SITE);
        assertBehind(SITE,
                "the state database is behind the event log: partition 1 has event 5, event 6 has been seen");
        execute(postgres, "UPDATE syncline.log_head SET sequence = 6 WHERE partition = 1");
        assertThat(answer(SITE)).isEqualTo(name(postgres));
    }

    private void answerOnceRead(String site) {
        Awaitility.await().atMost(PATIENCE).until(() -> {
            endsAreRead(0, 1, 2, 3);
            try {
                return port(site) != null;
            } catch (SQLException e) {
                return false;
            }
        });
    }

    @Test
    void anEmptyDatabase_isBehindAsSoonAsAnythingWasSeen() throws SQLException {
        execute(postgres, "DELETE FROM syncline.log_head");
        answerOnceRead(siteIn(2));
        highWater.seen(2, 1);
        // A look at it, as the watch takes every two seconds.
        try (Connection connection = pool.getConnection()) {
            servers.meet(connection);
        }
        assertBehind(siteIn(2), "the state database is behind the event log: partition 2 has event 0");
    }

    @Test
    void anotherServerBehindTheSamePool_isAnsweredFromOnlyWhenTheEndsWereReadAgain() {
        answerOnceRead(SITE);
        try (HikariDataSource elsewhere = open(other)) {
            // As a proxy does that leads to another server from now on, while nothing of the calls changes.
            database.now = elsewhere;
            assertBehind(SITE, "it is not known yet how far the event log has come: the end of partition 1");
            highWater.seen(1, 6);
            endsAreRead(1);
            assertBehind(SITE, "the state database is behind the event log: partition 1 has event 5");
            highWater.endUnread(0, "unreachable");
            assertBehind(OTHER_SITE,
                    "it is not known yet how far the event log has come: the end of partition 0 cannot be"
                            + " read: unreachable");
            rollForward(other);
            assertThat(answer(SITE)).isEqualTo(name(other));
        }
    }

    private static void rollForward(EmbeddedPostgres server) {
        try {
            execute(server, "UPDATE syncline.log_head SET sequence = 6, log_sequence = 6 WHERE partition = 1");
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void aServerThatIsOvertaken_isNotAnsweredFrom_thoughItWasBefore() throws SQLException {
        answerOnceRead(SITE);
        // Cut off with this gateway's connections, while another primary goes on: replies say so.
        highWater.seen(1, 9);
        try (Connection connection = pool.getConnection()) {
            servers.meet(connection);
        }
        assertBehind(SITE,
                "the state database is behind the event log: partition 1 has event 5, event 9 has been seen");
    }

    @Test
    void aServerThatIsKnown_isAnsweredFrom_howeverLongTheLogCannotBeRead() {
        answerOnceRead(SITE);
        highWater.endUnread(1, "unreachable");
        assertThat(answer(SITE)).isEqualTo(name(postgres));
    }

    @Test
    void whatIsCommittedAndNotInTheLog_isNotShown_andThatOfOtherSitesIs() throws SQLException {
        answerOnceRead(SITE);
        commit(postgres, SITE, 6);
        assertBehind(SITE, "event 6 of partition 1 is committed and not known to be in the event log yet");
        assertThat(answer(OTHER_SITE)).isEqualTo(name(postgres));
        // The partition's next event says nothing of this site, and waits for nobody else's.
        String neighbour = "http://neighbour.example";
        execute(postgres, "INSERT INTO syncline.connection_event VALUES (1, 7, '" + neighbour + "')");
        highWater.seen(1, 6);
        assertThat(answer(SITE)).isEqualTo(name(postgres));
    }

    @Test
    void anEventOnItsWayToTheLog_isWaitedFor() throws Exception {
        answerOnceRead(SITE);
        commit(postgres, SITE, 6);
        CompletableFuture<String> waiting = CompletableFuture.supplyAsync(() -> answer(SITE));
        highWater.seen(1, 6);
        assertThat(waiting.get(1, TimeUnit.MINUTES)).isEqualTo(name(postgres));
    }

    @Test
    void aGatewayThatHearsNoReplies_learnsFromTheDatabaseThatTheLogHasIt_andAsksTheLogItself() throws Exception {
        answerOnceRead(SITE);
        assertThat(highWater.awaitWanted(Duration.ZERO)).isEmpty();
        commit(postgres, SITE, 6);
        assertBehind(SITE, "event 6 of partition 1 is committed");
        assertThat(highWater.awaitWanted(Duration.ZERO)).containsExactly(1);
        execute(postgres, "UPDATE syncline.log_head SET log_sequence = 6 WHERE partition = 1");
        assertThat(answer(SITE)).isEqualTo(name(postgres));
        assertThat(highWater.published(1)).isEqualTo(6);
    }

    @Test
    void thatThereIsNoSuchThing_isSaidOnlyWhereEveryPartitionIsKnown() throws SQLException {
        answerOnceRead(SITE);
        String nothing = reads.read(connection -> reads.all(connection, snapshot -> "nothing"));
        assertThat(nothing).isEqualTo("nothing");
        commit(postgres, OTHER_SITE, 11);
        assertRefused(() -> reads.read(connection -> reads.all(connection, snapshot -> "nothing")),
                e -> e instanceof StateDatabaseBehindException behind
                        && String.valueOf(behind.getMessage()).contains("event 11 of partition 0"));
        String ofOneSite = reads
                .read(connection -> reads.of(Optional.of(SITE), connection, snapshot -> "of one site"));
        assertThat(ofOneSite).isEqualTo("of one site");
    }

    @Test
    void whatABatchCommittedBetweenTwoStatements_isNotHalfSeen() throws SQLException {
        answerOnceRead(SITE);
        highWater.seen(1, 6);
        Seen<Long> seen;
        try (Connection connection = pool.getConnection()) {
            seen = reads.of(Optional.of(SITE), connection, snapshot -> {
                commit(postgres, SITE, 6);
                try (Statement statement = snapshot.createStatement();
                        ResultSet row = statement.executeQuery("SELECT count(*) FROM syncline.connection_event")) {
                    row.next();
                    return row.getLong(1);
                }
            });
        }
        assertThat(seen.shown()).containsExactly(new Shown(1, 0));
        assertThat(seen.value()).isZero();
    }

    @Test
    void connectionsToTheServerBefore_areGivenUp() throws SQLException {
        answerOnceRead(SITE);
        Connection before = pool.getConnection();
        long process = process(before);
        try (HikariDataSource elsewhere = open(other); Connection met = elsewhere.getConnection()) {
            before.close();
            Awaitility.await().atMost(PATIENCE).until(() -> {
                try (Connection now = pool.getConnection()) {
                    return process(now) != process;
                }
            });
            assertThat(met.isClosed()).isFalse();
        }
    }

    private static long process(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT pg_backend_pid()")) {
            row.next();
            return row.getLong(1);
        }
    }

    private static String ask(HikariDataSource pool, String sql) throws SQLException {
        try (Connection connection = pool.getConnection();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            row.next();
            return row.getString(1);
        }
    }

    @Test
    void whateverTheRoleSets_sessionsHaveWhatTheyNeed() throws SQLException {
        execute(postgres, "CREATE ROLE hindered LOGIN SUPERUSER PASSWORD 'postgres'");
        for (String sql : HostileSettings.ofRole("hindered")) {
            execute(postgres, sql);
        }
        StateDatabase hindered = new StateDatabase(postgres.getJdbcUrl("hindered", "postgres"), "hindered", null,
                servers);
        try (HikariDataSource pool = hindered.pool("test", 2, Duration.ofMinutes(1))) {
            for (SessionSettings.Setting setting : SessionSettings.ALL) {
                String expected = setting.name().equals("default_transaction_read_only") ? "on" : setting.value();
                assertThat(ask(pool, "SHOW " + setting.name())).as(setting.name()).isEqualTo(expected);
            }
            assertThat(ask(pool, "SHOW search_path")).isEqualTo("syncline_replica, public");
            assertThat(ask(pool, "SHOW lock_timeout")).isEqualTo("0");
        }
    }

    @Test
    void noStatementIsCompiled() {
        assertThat(Awaitility.await()
                .atMost(PATIENCE)
                .ignoreExceptionsInstanceOf(SQLException.class)
                .until(() -> ask(pool, "SHOW jit"), answer -> true)).isEqualTo("off");
    }

    @Test
    void readOnlyAndBounded() {
        assertRefused(() -> ask(pool, "DELETE FROM syncline.log_head RETURNING 1"),
                e -> "25006".equals(e.getSQLState()));
        assertRefused(() -> ask(pool, "SELECT pg_sleep(60)"), e -> "57014".equals(e.getSQLState()));
    }

    @Test
    void nothingThere_isSaidWithinThePatience() {
        StateDatabase nowhere = new StateDatabase("jdbc:postgresql://127.0.0.1:1/none", "x", null, servers);
        try (HikariDataSource pool = nowhere.pool("nowhere", 2, Duration.ofSeconds(1))) {
            assertThatThrownBy(pool::getConnection).isInstanceOf(SQLException.class);
            assertThat(Duration.ofMillis(pool.getConnectionTimeout())).isEqualTo(Duration.ofSeconds(2));
        }
    }

    @Test
    void wrongUrl_isNamedWithoutItsParameters() {
        assertThatThrownBy(() -> new StateDatabase("jdbc:mysql://x/y?password=geheim", null, null, servers))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("spring.datasource.url")
                .hasMessageNotContaining("geheim");
    }

    /** Leads where the test says. */
    private static final class Switch extends AbstractDataSource {

        private volatile DataSource now;

        @Override
        public Connection getConnection() throws SQLException {
            return now.getConnection();
        }

        @Override
        public Connection getConnection(String user, String secret) throws SQLException {
            return now.getConnection(user, secret);
        }
    }
}
