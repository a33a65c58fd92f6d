package io.syncline.model.connection;

import io.syncline.model.credential.PasswordHash;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The settings of the whole module, folded from {@link SettingsEvent}s.
 *
 * @param passwordRevision grows with each change of the password, so that a registration proves which one it gave
 * @param operators        in the order in which they got their tokens
 */
public record ModuleSettings(
        boolean enabled,
        IncomingMode incomingMode,
        @Nullable PasswordHash incomingPassword,
        long passwordRevision,
        List<Operator> operators,
        Instant updatedAt) {

    /** Each is compared with each presented token. */
    public static final int MAX_OPERATORS = 100;

    /** What holds until an operator says anything: disabled. */
    public static final ModuleSettings INITIAL = new ModuleSettings(false, IncomingMode.REQUIRE_APPROVAL, null, 0,
            Instant.EPOCH);

    public ModuleSettings {
        operators = List.copyOf(operators);
    }

    /** Without operators. */
    public ModuleSettings(boolean enabled, IncomingMode incomingMode, @Nullable PasswordHash incomingPassword,
            long passwordRevision, Instant updatedAt) {
        this(enabled, incomingMode, incomingPassword, passwordRevision, List.of(), updatedAt);
    }

    public Optional<Operator> operator(String name) {
        return operators.stream().filter(one -> one.name().equals(name)).findFirst();
    }

    /** The settings after a fact; one that cannot have happened to them throws {@link IllegalStateException}. */
    public ModuleSettings evolve(SettingsEvent event, Instant at) {
        return switch (event) {
            case SettingsChanged e -> new ModuleSettings(e.enabled(), e.incomingMode(), e.incomingPassword(),
                    e.passwordRevision(), operators, at);
            case SettingsEvent.OperatorAdded e -> {
                require(operator(e.name()).isEmpty(), e.name() + " is an operator already");
                List<Operator> more = new ArrayList<>(operators);
                more.add(new Operator(e.name(), e.role(), e.fingerprint(), e.by(), at));
                yield with(more);
            }
            case SettingsEvent.OperatorRemoved e -> {
                require(operator(e.name()).isPresent(), e.name() + " is no operator");
                yield with(operators.stream().filter(one -> !one.name().equals(e.name())).toList());
            }
        };
    }

    /** {@link #updatedAt} is of the settings alone: who their operators are is not one of them. */
    private ModuleSettings with(List<Operator> others) {
        return new ModuleSettings(enabled, incomingMode, incomingPassword, passwordRevision, others, updatedAt);
    }

    private static void require(boolean condition, String why) {
        if (!condition) {
            throw new IllegalStateException("this cannot have happened to the settings: " + why);
        }
    }
}
