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
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The rooms of the collector, and who may enter which; the packages' descriptions say it in words. */
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
        "self,      ''",
        "settings,  ''",
        "udp,       ''",
        "ledger,    wire ring",
        "peers,     ledger wire emit",
        "intake,    udp ledger wire",
        "store,     ledger ring emit",
        "publish,   ledger wire",
        "history,   publish ledger",
        "http,      ''",
        "query,     history publish http",
        "proxy,     udp http wire ring emit cells",
        "dashboard, http ledger history wire",
        "simulate,  ledger peers wire emit cells",
    })
    void a_room_uses_only_the_rooms_it_is_shown_to(String room, String shown) {
        List<String> allowed = new java.util.ArrayList<>(List.of(HOUSE + "." + room));
        if (!room.equals("self") && !room.equals("settings")) {
            allowed.addAll(List.of(HOUSE + ".self", HOUSE + ".settings"));
        }
        for (String other : shown.split(" ", -1)) {
            allowed.add(
                    (Set.of("cells", "wire", "ring", "emit").contains(other) ? "io.counters." : HOUSE + ".") + other);
        }
        assertThat(MAIN.stream().filter(resideInAPackage(HOUSE + "." + room))).isNotEmpty();

        noClasses()
                .that()
                .resideInAPackage(HOUSE + "." + room)
                .should()
                .dependOnClassesThat(resideInAPackage("io.counters..")
                        .and(DescribedPredicate.not(resideInAnyPackage(allowed.toArray(String[]::new)))))
                .check(MAIN);
    }

    @Test
    void every_room_is_known_here() {
        assertThat(MAIN.stream()
                        .map(JavaClass::getPackageName)
                        .filter(name -> name.startsWith(HOUSE + "."))
                        .distinct())
                .containsExactlyInAnyOrder(
                        HOUSE + ".self",
                        HOUSE + ".settings",
                        HOUSE + ".udp",
                        HOUSE + ".http",
                        HOUSE + ".ledger",
                        HOUSE + ".peers",
                        HOUSE + ".intake",
                        HOUSE + ".store",
                        HOUSE + ".publish",
                        HOUSE + ".history",
                        HOUSE + ".query",
                        HOUSE + ".proxy",
                        HOUSE + ".dashboard",
                        HOUSE + ".simulate");
    }

    @Test
    void only_the_assembly_names_clocks() {
        DescribedPredicate<JavaAccess<?>> readsAClock = DescribedPredicate.describe(
                "read a clock",
                access -> CLOCKS.stream().anyMatch(access.getTargetOwner()::isEquivalentTo)
                        && READINGS.contains(access.getName()));
        assertThat(MAIN.stream()
                        .filter(assembly())
                        .flatMap(type -> type.getAccessesFromSelf().stream())
                        .filter(readsAClock))
                .as("the assembly's own, or else this test sees nothing")
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
    void names_say_what_a_thing_is() {
        classes()
                .that()
                .resideInAPackage("io.counters..")
                .should()
                .haveNameNotMatching(".*(Util|Utils|Helper|Manager|Impl|Base|Common)")
                .check(MAIN);
    }
}
