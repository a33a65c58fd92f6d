package io.syncline.gateway;

import com.fasterxml.uuid.Generators;
import com.fasterxml.uuid.NoArgGenerator;
import com.zaxxer.hikari.HikariDataSource;
import io.syncline.gateway.admin.AdminAuthentication;
import io.syncline.gateway.admin.AdminEndpoints;
import io.syncline.gateway.admin.EventEndpoints;
import io.syncline.gateway.admin.OidcTokens;
import io.syncline.gateway.admin.OperatorEndpoints;
import io.syncline.gateway.admin.TransferEndpoints;
import io.syncline.gateway.admin.WorkerEndpoints;
import io.syncline.gateway.connection.ConnectionEndpoints;
import io.syncline.gateway.connection.ConnectionReads;
import io.syncline.gateway.connection.DownloadPasswords;
import io.syncline.gateway.connection.Passwords;
import io.syncline.gateway.connection.SenderAccess;
import io.syncline.gateway.connection.SettingsAdvice;
import io.syncline.gateway.dispatch.Dispatch;
import io.syncline.gateway.dispatch.KafkaSettings;
import io.syncline.gateway.dispatch.RequestDispatcher;
import io.syncline.gateway.dispatch.Submission;
import io.syncline.gateway.http.AddressLimits;
import io.syncline.gateway.http.BoundedLog;
import io.syncline.gateway.http.CallerAddress;
import io.syncline.gateway.http.FrontDoor;
import io.syncline.gateway.http.OperatorRoutes;
import io.syncline.gateway.http.PeerRoutes;
import io.syncline.gateway.http.ReadinessIndicator;
import io.syncline.gateway.state.DatabaseClock;
import io.syncline.gateway.state.DatabaseWatch;
import io.syncline.gateway.state.HighWater;
import io.syncline.gateway.state.Partitions;
import io.syncline.gateway.state.Servers;
import io.syncline.gateway.state.StateDatabase;
import io.syncline.gateway.state.StateReads;
import io.syncline.gateway.table.PullLedger;
import io.syncline.gateway.table.RowStream;
import io.syncline.gateway.table.RunningPulls;
import io.syncline.gateway.table.TableEndpoints;
import io.syncline.gateway.table.TableReads;
import io.syncline.model.api.SyncPaths;
import io.syncline.model.connection.Event;
import io.syncline.model.connection.SiteRequest;
import io.syncline.model.credential.CredentialKeys;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.boot.autoconfigure.context.LifecycleProperties;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.boot.jdbc.autoconfigure.DataSourceProperties;
import org.springframework.boot.kafka.autoconfigure.KafkaProperties;
import org.springframework.boot.tomcat.servlet.TomcatServletWebServerFactory;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Primary;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.web.servlet.function.RouterFunction;
import org.springframework.web.servlet.function.ServerResponse;

/** The gateway's whole object graph. */
@Configuration(proxyBeanMethods = false)
@EnableConfigurationProperties({GatewayProperties.class, DataSourceProperties.class, KafkaProperties.class})
class GatewayConfiguration {

    /** Reads of one row or a few: what takes longer than this is a fault. */
    private static final Duration READ_TIMEOUT = Duration.ofSeconds(5);
    /** Prepared while a table was still empty, a plan that reads all of it would be kept while the table grows. */
    private static final String BY_INDEX = "enable_seqscan = off";
    /** Many writes, of which one alone may wait for as long as Tomcat lets it, and shorter than a slow reader is to hold a stream. */
    private static final Duration RATE_AVERAGED_OVER = Duration.ofSeconds(30);
    /**
     * The pool opens its connections one after the other, and on a busy machine as many as may stream take a while. That the
     * database is away has been found out before, by the look-up of who pulls.
     */
    private static final Duration PULLS_MAY_ALL_OPEN = Duration.ofSeconds(10);
    /** Look-ups wait for a lock for a second. */
    private static final int LOOKUP_CONNECTIONS = 4;

    @Bean
    UnknownProperties unknownProperties(ConfigurableEnvironment environment) {
        return new UnknownProperties(environment);
    }

    @Bean
    CredentialKeys credentialKeys(GatewayProperties properties) {
        Path file = properties.credentials().keyFile();
        if (file == null) {
            throw new UnusableSettingException("syncline.credentials.key-file is not set. Make a key file with:"
                    + " java -jar sync-worker.jar keys <file> and give the same file to every gateway and worker.");
        }
        return UnusableSettingException.orElse(() -> CredentialKeys.read(file));
    }

    @Bean
    SecureRandom random() {
        return new SecureRandom();
    }

    /** UUIDs v7: the time first, so that what is stored by them lies in the order of its making. */
    @Bean
    Supplier<UUID> ids(SecureRandom random) {
        NoArgGenerator generator = Generators.timeBasedEpochGenerator(random);
        return generator::generate;
    }

    @Bean
    Passwords passwords(GatewayProperties properties) {
        return new Passwords(properties.passwordChecksAtOnce());
    }

    // The state database.

    @Bean
    HighWater highWater(GatewayProperties properties) {
        return new HighWater(properties.topics().partitions());
    }

    @Bean
    Servers servers(HighWater highWater) {
        return new Servers(highWater);
    }

    @Bean
    StateDatabase stateDatabase(DataSourceProperties properties, Servers servers) {
        return UnusableSettingException.orElse(() -> new StateDatabase(properties.getUrl(), properties.getUsername(),
                properties.getPassword(), servers));
    }

    @Bean
    @Primary
    HikariDataSource reads(StateDatabase database, GatewayProperties properties) {
        return database.pool("reads", properties.gateway().databaseConnections(), READ_TIMEOUT, BY_INDEX);
    }

    @Bean
    HikariDataSource lookups(StateDatabase database) {
        return database.pool("lookups", LOOKUP_CONNECTIONS, READ_TIMEOUT, BY_INDEX);
    }

    @Bean
    HikariDataSource pulls(StateDatabase database, GatewayProperties properties) {
        HikariDataSource pulls = database.pool("pulls", properties.gateway().pullConnections(),
                properties.gateway().pullDuration());
        pulls.setConnectionTimeout(PULLS_MAY_ALL_OPEN.toMillis());
        return pulls;
    }

    @Bean
    StateReads stateReads(HikariDataSource reads, Servers servers, HighWater highWater) {
        return new StateReads(reads, servers, highWater);
    }

    @Bean
    DatabaseClock databaseClock() {
        return new DatabaseClock(System::nanoTime);
    }

    @Bean(initMethod = "start")
    DatabaseWatch databaseWatch(HikariDataSource reads, DatabaseClock clock, Servers servers,
            ConnectionReads connections, GatewayProperties properties) {
        return new DatabaseWatch(reads, clock, servers,
                new Partitions(properties.topics().partitions()).of(Event.SETTINGS_KEY),
                new SettingsAdvice(connections)::give);
    }

    // The ring.

    @Bean(initMethod = "start")
    Dispatch dispatch(KafkaProperties kafka, GatewayProperties properties,
            @Qualifier("lookups") HikariDataSource lookups, DatabaseClock clock, HighWater highWater,
            CredentialKeys keys) {
        Duration replyTimeout = properties.gateway().replyTimeout();
        return new Dispatch(
                new KafkaSettings(kafka.buildProducerProperties(), kafka.buildConsumerProperties(),
                        kafka.buildAdminProperties(), replyTimeout),
                replyTimeout, properties.gateway().maxPending(), lookups, clock, highWater, keys);
    }

    // What answers peers and operators.

    @Bean
    ConnectionReads connectionReads(StateReads state) {
        return new ConnectionReads(state);
    }

    @Bean
    ConnectionEndpoints connectionEndpoints(ConnectionReads reads, Dispatch dispatch, CredentialKeys keys,
            Passwords passwords, SecureRandom random, Supplier<UUID> ids) {
        return new ConnectionEndpoints(reads, dispatch.dispatcher(), keys, passwords, random, ids);
    }

    /** Before whatever asks where a call comes from. */
    @Bean
    @Order(Ordered.HIGHEST_PRECEDENCE)
    CallerAddress callerAddress(GatewayProperties properties) {
        return new CallerAddress(properties.http().trusted());
    }

    @Bean
    SenderAccess senderAccess(ConnectionReads reads, CredentialKeys keys) {
        return new SenderAccess(reads, keys);
    }

    @Bean(initMethod = "start")
    RowStream rowStream(@Qualifier("pulls") HikariDataSource pulls, SenderAccess access, GatewayProperties properties) {
        return new RowStream(pulls,
                new RowStream.Bounds(properties.gateway().pullDuration(),
                        properties.gateway().pullLeastRate().toBytes(), RATE_AVERAGED_OVER,
                        properties.pullsOfOnePeer()),
                access::allowed);
    }

    @Bean(initMethod = "start")
    PullLedger pullLedger(Dispatch dispatch, SenderAccess access, Supplier<UUID> ids, GatewayProperties properties) {
        RequestDispatcher dispatcher = dispatch.dispatcher();
        return new PullLedger(new PullLedger.Ring() {

            @Override
            public Submission submit(UUID requestId, SiteRequest request) {
                return dispatcher.submit(requestId, request);
            }

            @Override
            public CompletableFuture<Void> announce(UUID requestId, SiteRequest request) {
                return dispatcher.announce(requestId, request);
            }
        }, access::approved, ids, properties.gateway().pullDuration(), System::nanoTime);
    }

    /** Stopped before everything else. */
    @Bean
    ShutdownDelay shutdownDelay(GatewayProperties properties) {
        return new ShutdownDelay(properties.gateway().shutdownDelay());
    }

    @Bean
    RunningPulls runningPulls(RowStream rows, PullLedger ledger, LifecycleProperties lifecycle) {
        return new RunningPulls(rows, ledger, lifecycle.getTimeoutPerShutdownPhase());
    }

    @Bean
    TableEndpoints tableEndpoints(SenderAccess access, HikariDataSource reads, Passwords passwords, SecureRandom random,
            Dispatch dispatch, RowStream rows, PullLedger ledger) {
        return new TableEndpoints(access, new DownloadPasswords(passwords, random), dispatch.gateways()::count,
                new TableReads(reads), rows, ledger);
    }

    @Bean
    RouterFunction<ServerResponse> peerRoutes(GatewayProperties properties, ConnectionEndpoints connections,
            TableEndpoints tables, Supplier<UUID> ids) {
        return new PeerRoutes(properties.prefix(), ids, boundedLog(PeerRoutes.class))
                .get(SyncPaths.STATUS, connections::status)
                .post(SyncPaths.REGISTER_CONNECTION, connections::register)
                .post(SyncPaths.VERIFY_CONNECTION, connections::verify)
                .post(SyncPaths.UPDATE_STATUS, connections::updateStatus)
                .post(SyncPaths.DELETE_CONNECTION, connections::delete)
                .post(SyncPaths.GET_CONNECTION_STATUS, connections::connectionStatus)
                .post(SyncPaths.LIST_TABLES, tables::listTables)
                .post(SyncPaths.TABLE_SCHEMA, tables::tableSchema)
                .post(SyncPaths.TABLE_RECORDS, tables::tableRecords)
                .postLines(SyncPaths.PULL_DATA, tables::pullData)
                .function();
    }

    @Bean
    RouterFunction<ServerResponse> operatorRoutes(GatewayProperties properties, ConnectionReads reads,
            StateReads state, HikariDataSource database, Dispatch dispatch, CredentialKeys keys, Passwords passwords,
            SecureRandom random,
            Supplier<UUID> ids) {
        GatewayProperties.Admin admin = properties.admin();
        AdminAuthentication gate = UnusableSettingException
                .orElse(() -> AdminAuthentication.of(admin.token(), admin.tokenFile(), keys,
                        () -> reads.settings().operators(),
                        admin.oidc()
                                .settings()
                                .map(issuer -> new OidcTokens(issuer, boundedLog(OidcTokens.class)))
                                .orElse(null)));
        OperatorRoutes routes = new OperatorRoutes(gate, ids, boundedLog(OperatorRoutes.class));
        new TransferEndpoints(state, dispatch.dispatcher()).addTo(routes);
        new AdminEndpoints(reads, database, dispatch.dispatcher(), keys, passwords, random, ids,
                admin.tokenOverlap()).addTo(routes);
        new OperatorEndpoints(reads, dispatch.dispatcher(), keys, random).addTo(routes);
        new EventEndpoints(reads, state, properties.topics().partitions()).addTo(routes);
        return new WorkerEndpoints(database, properties.topics().partitions(), dispatch::requestEnds).addTo(routes)
                .function();
    }

    // The front of the house: what each request goes through before anybody asks what it wants.

    @Bean
    TomcatServletWebServerFactory webServerFactory(GatewayProperties properties) {
        return new GatewayWebServerFactory(properties.gateway(), properties.admin().port(),
                properties.admin().address());
    }

    @Bean
    @Order(Ordered.HIGHEST_PRECEDENCE + 10)
    FrontDoor frontDoor(GatewayProperties properties) {
        return new FrontDoor(properties.admin().port());
    }

    @Bean
    @Order(Ordered.HIGHEST_PRECEDENCE + 20)
    AddressLimits addressLimits(GatewayProperties properties, Dispatch dispatch) {
        GatewayProperties.Limits limits = properties.limits();
        return new AddressLimits(properties.prefix(), limits.failedAuthenticationsPerMinute(),
                limits.registrationsPerMinute(), dispatch.gateways()::count, System::nanoTime,
                properties.gateway().replyTimeout(), boundedLog(AddressLimits.class));
    }

    private static BoundedLog boundedLog(Class<?> owner) {
        return new BoundedLog(LoggerFactory.getLogger(owner), System::nanoTime);
    }

    /** What is refused is no reason to be down. */
    @Bean
    HealthIndicator addressLimitsHealthIndicator(AddressLimits limits) {
        return () -> Health.up().withDetail("refused", limits.refused()).build();
    }

    // Readiness; the names are those in gateway.yml's readiness group.

    @Bean
    ReadinessIndicator databaseHealthIndicator(DatabaseWatch watch) {
        return new ReadinessIndicator(watch::last);
    }

    @Bean
    ReadinessIndicator brokerHealthIndicator(Dispatch dispatch) {
        return new ReadinessIndicator(dispatch::broker);
    }

    @Bean
    ReadinessIndicator repliesHealthIndicator(Dispatch dispatch) {
        return new ReadinessIndicator(dispatch::replies);
    }
}
