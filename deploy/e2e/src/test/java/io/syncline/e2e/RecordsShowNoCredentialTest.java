package io.syncline.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.RecordComponent;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;

/** A record prints all that is in it, wherever it comes to be printed: unless it says otherwise, a credential too. */
class RecordsShowNoCredentialTest {

    private static final String SECRET = "$argon2id$c0rrect-horse";
    private static final Pattern NAME = Pattern.compile("(?i)token|password|secret|credential|authorization");
    private static final Pattern TYPE = Pattern.compile("Token|Password|Secret");
    /** What the log has as JSON has no credential in it: that is promised of all that is stored. */
    private static final Set<String> STORED = Set.of("io.syncline.model.log.RequestRecord$Wire",
            "io.syncline.gateway.admin.EventReads$Event");

    private static final Map<Class<?>, Object> SAMPLES = Map.ofEntries(Map.entry(int.class, 0),
            Map.entry(long.class, 0L), Map.entry(boolean.class, false), Map.entry(String.class, "x"),
            Map.entry(Optional.class, Optional.empty()), Map.entry(List.class, List.of()),
            Map.entry(Set.class, Set.of()), Map.entry(Map.class, Map.of()), Map.entry(UUID.class, new UUID(1, 1)),
            Map.entry(Instant.class, Instant.EPOCH), Map.entry(Duration.class, Duration.ofSeconds(1)),
            Map.entry(Path.class, Path.of("x")));

    static Stream<Class<?>> records() {
        return new ClassFileImporter().withImportOption(new ImportOption.DoNotIncludeTests())
                .importPackages("io.syncline")
                .stream()
                .filter(JavaClass::isRecord)
                .<Class<?>>map(JavaClass::reflect)
                .filter(record -> Arrays.stream(record.getRecordComponents())
                        .anyMatch(RecordsShowNoCredentialTest::mayHoldCredential));
    }

    private static boolean mayHoldCredential(RecordComponent component) {
        Class<?> type = component.getType();
        Class<?> record = component.getDeclaringRecord();
        if (type == JsonNode.class) {
            return !STORED.contains(record.getName());
        }
        // A type that is made for a credential has to hide it itself, and who has a component of it is safe.
        boolean made = record.getRecordComponents().length == 1 && TYPE.matcher(record.getSimpleName()).find();
        return (made || NAME.matcher(component.getName()).find())
                && (type == String.class || isOptionalText(component));
    }

    private static boolean isOptionalText(RecordComponent component) {
        return component.getGenericType().getTypeName().equals("java.util.Optional<java.lang.String>");
    }

    @Test
    void itLooksAtThoseThatThereAre() {
        assertThat(records()).extracting(Class::getSimpleName)
                .contains("MadeView", "RotatedView", "Body", "StandaloneProperties", "Admin", "AuthToken",
                        "Registration");
    }

    @ParameterizedTest
    @MethodSource("records")
    void whatIsPrinted_hasNoCredentialInIt(Class<?> record) throws Exception {
        RecordComponent[] components = record.getRecordComponents();
        Object[] values = new Object[components.length];
        for (int i = 0; i < components.length; i++) {
            values[i] = mayHoldCredential(components[i]) ? secret(components[i].getType())
                    : anything(components[i].getType());
        }
        Constructor<?> constructor = record
                .getDeclaredConstructor(Arrays.stream(components).map(RecordComponent::getType).toArray(Class[]::new));
        constructor.setAccessible(true);
        assertThat(constructor.newInstance(values).toString()).as(record.getName()).doesNotContain(SECRET);
    }

    private static Object secret(Class<?> type) {
        return type == String.class ? SECRET
                : type == Optional.class ? Optional.of(SECRET)
                : JsonNodeFactory.instance.objectNode().put("x", SECRET);
    }

    /** Something of this type, or null where that is not so easily made. */
    private static @Nullable Object anything(Class<?> type) throws ReflectiveOperationException {
        if (type.isEnum()) {
            return type.getEnumConstants()[0];
        }
        Constructor<?>[] constructors = type.getDeclaredConstructors();
        if (SAMPLES.containsKey(type) || constructors.length != 1 || !type.getName().startsWith("io.syncline")) {
            return SAMPLES.get(type);
        }
        Class<?>[] parameters = constructors[0].getParameterTypes();
        Object[] values = new Object[parameters.length];
        for (int i = 0; i < parameters.length; i++) {
            values[i] = anything(parameters[i]);
        }
        constructors[0].setAccessible(true);
        try {
            return constructors[0].newInstance(values);
        } catch (InvocationTargetException e) {
            return null;
        }
    }
}
