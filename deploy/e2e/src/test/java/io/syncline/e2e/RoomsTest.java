package io.syncline.e2e;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import io.syncline.model.log.Topics;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;

/** The rooms, and which doors there are between them. */
class RoomsTest {

    private static final JavaClasses CODE = new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests())
            .importPackages("io.syncline");

    /** Classes whose whole worth is that they can be understood and tested without anything around them. */
    private static final Set<String> PURE = Set.of("ConnectionDecider", "Admission", "ConnectionTranslator",
            "ReplicaSql",
            "CaptureSettings", "RowEncoder", "AccessPolicy");

    private static final String[] INPUT_OUTPUT = {"org.springframework..", "org.apache.kafka.clients..", "java.sql..",
        "javax.sql..", "org.postgresql..", "jakarta.servlet.."};

    @Test
    void sharedModel_knowsNoSpringKafkaOrJdbc() {
        noClasses().that()
                .resideInAPackage("io.syncline.model..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("org.springframework..", "org.apache.kafka..", "java.sql..", "javax.sql..",
                        "org.postgresql..", "io.debezium..", "jakarta..")
                .check(CODE);
    }

    @Test
    void gatewayAndWorker_neverSeeEachOther() {
        noClasses().that()
                .resideInAPackage("io.syncline.gateway..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("io.syncline.worker..", "io.syncline.standalone..")
                .check(CODE);
        noClasses().that()
                .resideInAPackage("io.syncline.worker..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("io.syncline.gateway..", "io.syncline.standalone..")
                .check(CODE);
    }

    @Test
    void pureClasses_touchNothing() {
        DescribedPredicate<JavaClass> pure = DescribedPredicate.describe("are pure",
                type -> PURE.contains(type.getSimpleName()));
        noClasses().that(pure).should().dependOnClassesThat().resideInAnyPackage(INPUT_OUTPUT).check(CODE);
        noClasses().that(pure)
                .should()
                .callMethod(java.time.Instant.class, "now")
                .orShould()
                .callMethod(System.class, "currentTimeMillis")
                .orShould()
                .callMethod(java.util.UUID.class, "randomUUID")
                .check(CODE);
    }

    @Test
    void onlyTheHttpRoom_knowsStatuses() {
        noClasses().that()
                .resideInAPackage("io.syncline.gateway..")
                .and()
                .resideOutsideOfPackage("io.syncline.gateway.http..")
                .should()
                .dependOnClassesThat()
                .haveFullyQualifiedName("org.springframework.http.HttpStatus")
                .check(CODE);
    }

    @Test
    void roomsOfAModule_haveNoCircles() {
        slices().matching("io.syncline.gateway.(*)..").should().beFreeOfCycles().check(CODE);
        slices().matching("io.syncline.worker.(*)..").should().beFreeOfCycles().check(CODE);
        slices().matching("io.syncline.model.(*)..").should().beFreeOfCycles().check(CODE);
    }

    @Test
    void everyPackage_isNullMarked() {
        classes().that()
                .resideInAPackage("io.syncline..")
                .and()
                .haveSimpleName("package-info")
                .should()
                .beAnnotatedWith(NullMarked.class)
                .check(CODE);
        Set<String> described = CODE.stream()
                .filter(type -> type.getSimpleName().equals("package-info"))
                .map(JavaClass::getPackageName)
                .collect(java.util.stream.Collectors.toSet());
        assertThat(CODE.stream().map(JavaClass::getPackageName)).allMatch(described::contains);
    }

    @Test
    void topics_areSpelledInOnePlace() throws IOException {
        List<String> names = List.of(Topics.REQUESTS, Topics.REPLIES, Topics.EVENTS, Topics.CAPTURE_LEASE,
                Topics.STATE_MARKS, Topics.TABLE_PREFIX);
        Path root = Path.of(System.getProperty("maven.multiModuleProjectDirectory", "../.."));
        for (String module : List.of("shared-model", "api-gateway", "sync-worker", "deploy/standalone")) {
            try (Stream<Path> sources = Files.walk(root.resolve(module).resolve("src/main/java"))) {
                assertThat(sources.filter(path -> path.toString().endsWith(".java") && !path.endsWith("Topics.java")))
                        .isNotEmpty()
                        .allSatisfy(path -> assertThat(Files.readString(path))
                                .doesNotContain(names.stream().map(name -> '"' + name + '"').toList()));
            }
        }
    }
}
