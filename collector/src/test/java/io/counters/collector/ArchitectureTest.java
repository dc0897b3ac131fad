package io.counters.collector;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.time.Clock;
import java.time.Instant;
import java.time.InstantSource;
import java.time.LocalDateTime;
import java.time.ZonedDateTime;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The packages of the collector, and which may use which; each package's description says the same in words. */
@Tag("once")
class ArchitectureTest {
    private static final String HOUSE = "io.counters.collector";
    private static final List<Class<?>> CLOCKS = List.of(
            System.class, Instant.class, Clock.class, InstantSource.class, LocalDateTime.class, ZonedDateTime.class);
    private static final Set<String> READINGS =
            Set.of("currentTimeMillis", "nanoTime", "now", "system", "systemUTC", "systemDefaultZone", "tick");
    private static final JavaClasses MAIN = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages("io.counters");

    private static DescribedPredicate<JavaClass> assembly() {
        return resideInAPackage(HOUSE).as("assembly");
    }

    @ParameterizedTest
    @CsvSource({
        "common,    ''",
        "settings,  wire",
        "access,    ''",
        "udp,       ''",
        "supervisor, ''",
        "ledger,    wire",
        "fleet,     ledger intake publish history prometheus wire emit",
        "intake,    access udp ledger tap wire",
        "store,     ledger ring emit",
        "publish,   ledger prometheus wire",
        "history,   publish ledger",
        "http,      access",
        "query,     history publish http",
        "proxy,     access udp http wire ring emit cells",
        "prometheus, http ledger wire",
        "dashboard, access http ledger history prometheus fleet wire",
        "tap,       http wire",
        "otlp,      access http intake wire",
        "post,      http intake wire",
        "commands,  access fleet emit",
        "backup,    commands history ledger",
        "doctor,    access commands dashboard fleet http intake ledger otlp publish store udp",
        "simulate,  ledger wire emit cells",
    })
    void a_package_uses_only_the_packages_listed_for_it(String room, String shown) {
        List<String> allowed = new java.util.ArrayList<>(List.of(HOUSE + "." + room));
        if (!room.equals("common") && !room.equals("settings")) {
            allowed.addAll(List.of(HOUSE + ".common", HOUSE + ".settings"));
        }
        List<String> listed = Arrays.stream(shown.split(" "))
                .filter(other -> !other.isEmpty())
                .map(other -> (Set.of("cells", "wire", "ring", "emit").contains(other) ? "io.counters." : HOUSE + ".")
                        + other)
                .toList();
        allowed.addAll(listed);
        assertThat(MAIN.stream()
                        .filter(resideInAPackage(HOUSE + "." + room))
                        .flatMap(type -> type.getDirectDependenciesFromSelf().stream())
                        .map(dependency -> dependency.getTargetClass().getPackageName()))
                .as("the packages that " + room + " uses")
                .isNotEmpty()
                .containsAll(listed);

        noClasses()
                .that()
                .resideInAPackage(HOUSE + "." + room)
                .should()
                .dependOnClassesThat(resideInAPackage("io.counters..")
                        .and(DescribedPredicate.not(resideInAnyPackage(allowed.toArray(String[]::new)))))
                .check(MAIN);
    }

    @Test
    void every_package_is_listed_here() {
        assertThat(MAIN.stream()
                        .map(JavaClass::getPackageName)
                        .filter(name -> name.startsWith(HOUSE + "."))
                        .distinct())
                .containsExactlyInAnyOrder(
                        HOUSE + ".common",
                        HOUSE + ".settings",
                        HOUSE + ".access",
                        HOUSE + ".udp",
                        HOUSE + ".supervisor",
                        HOUSE + ".http",
                        HOUSE + ".ledger",
                        HOUSE + ".intake",
                        HOUSE + ".store",
                        HOUSE + ".publish",
                        HOUSE + ".history",
                        HOUSE + ".fleet",
                        HOUSE + ".query",
                        HOUSE + ".proxy",
                        HOUSE + ".prometheus",
                        HOUSE + ".dashboard",
                        HOUSE + ".tap",
                        HOUSE + ".otlp",
                        HOUSE + ".post",
                        HOUSE + ".commands",
                        HOUSE + ".backup",
                        HOUSE + ".doctor",
                        HOUSE + ".simulate");
    }

    @Test
    void only_the_fleet_knows_kafka() {
        DescribedPredicate<JavaClass> kafkas = resideInAnyPackage("org.apache.kafka..", "net.jpountz..");
        assertThat(MAIN.stream()
                        .filter(resideInAPackage(HOUSE + ".fleet"))
                        .flatMap(type -> type.getDirectDependenciesFromSelf().stream())
                        .filter(dependency -> kafkas.test(dependency.getTargetClass())))
                .as("uses of Kafka, without which this test would find nothing")
                .isNotEmpty();

        noClasses()
                .that(DescribedPredicate.not(resideInAPackage(HOUSE + ".fleet")))
                .should()
                .dependOnClassesThat(kafkas)
                .check(MAIN);
    }

    @Test
    void only_the_assembly_reads_clocks() {
        DescribedPredicate<JavaAccess<?>> readsAClock = DescribedPredicate.describe(
                "read a clock",
                access -> CLOCKS.stream().anyMatch(access.getTargetOwner()::isEquivalentTo)
                        && READINGS.contains(access.getName()));
        assertThat(MAIN.stream()
                        .filter(assembly())
                        .flatMap(type -> type.getAccessesFromSelf().stream())
                        .filter(readsAClock))
                .as("the assembly's own readings, without which this test would find nothing")
                .isNotEmpty();

        assertThat(MAIN.stream()
                        .filter(resideInAPackage(HOUSE + ".."))
                        .filter(DescribedPredicate.not(assembly()))
                        .flatMap(type -> type.getAccessesFromSelf().stream())
                        .filter(readsAClock)
                        .map(JavaAccess::getDescription))
                .isEmpty();
    }

    @Test
    void class_names_contain_no_vague_words() {
        classes()
                .that()
                .resideInAPackage("io.counters..")
                .should()
                .haveNameNotMatching(".*(Util|Utils|Helper|Manager|Impl|Base|Common)")
                .check(MAIN);
    }
}
