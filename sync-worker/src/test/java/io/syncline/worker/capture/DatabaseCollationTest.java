package io.syncline.worker.capture;

import static org.assertj.core.api.Assertions.assertThat;

import io.syncline.worker.capture.DatabaseCollation.LocaleOf;
import io.syncline.worker.capture.DatabaseCollation.Named;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class DatabaseCollationTest {

    private static final Named C = new Named("C", libc("C", "C"));

    @Test
    void anEncodingIsTheSame_howeverItIsWritten() {
        Named american = new Named("en_US.utf8", libc("en_US.utf8", "en_US.utf8"));
        Named british = new Named("en_GB.utf8", libc("en_GB.utf8", "en_GB.utf8"));
        for (String own : List.of("en_US.UTF-8", "en_US.utf8", "en_US.UTF8", "en_US.utf-8")) {
            assertThat(name(libc(own, own), C, british, american)).as(own).isEqualTo("en_US.utf8");
        }
        assertThat(name(libc("en_US.ISO-8859-1", "en_US.ISO-8859-1"), C, american)).isNull();
        assertThat(name(libc("en_US", "en_US"), C, american)).isNull();
        Named euro = new Named("de_DE@euro", libc("de_DE.iso885915@euro", "de_DE.iso885915@euro"));
        assertThat(name(libc("de_DE.ISO-8859-15@euro", "de_DE.ISO-8859-15@euro"), C, euro)).isEqualTo("de_DE@euro");
        assertThat(name(libc("de_DE.ISO-8859-15", "de_DE.ISO-8859-15"), C, euro)).isNull();
    }

    @Test
    void textIsOrderedByOneLocale_whateverTheOtherIs() {
        Named mixed = new Named("mixed", libc("en_US.utf8", "C"));
        Named american = new Named("en_US.utf8", libc("en_US.utf8", "en_US.utf8"));
        assertThat(name(libc("en_US.UTF-8", "en_US.UTF-8"), mixed, american)).isEqualTo("en_US.utf8");
        assertThat(name(libc("en_US.UTF-8", "de_DE.UTF-8"), mixed, american)).isEqualTo("mixed");
        assertThat(name(libc("C", "en_US.UTF-8"), american, C)).isEqualTo("C");
    }

    @Test
    void whatOrdersByCodePoints_isC() {
        for (String own : List.of("C", "POSIX", "C.UTF-8", "C.utf8")) {
            assertThat(name(libc(own, own), C)).as(own).isEqualTo("C");
        }
        assertThat(name(new LocaleOf("b", "en_US.UTF-8", "en_US.UTF-8", "C.UTF-8", null))).isEqualTo("C");
        assertThat(name(new LocaleOf("b", "C", "C", "PG_UNICODE_FAST", null))).isEqualTo("C");
    }

    @Test
    void icu_byItsOwnLocaleAndRules() {
        Named american = new Named("en-US-x-icu", icu("en-US", null));
        Named tailored = new Named("tailored", icu("en-US", "&V << w"));
        assertThat(name(icu("en-US", null), C, tailored, american)).isEqualTo("en-US-x-icu");
        assertThat(name(icu("en_US", null), C, tailored, american)).isEqualTo("en-US-x-icu");
        assertThat(name(icu("en-US", "&V << w"), C, american, tailored)).isEqualTo("tailored");
        assertThat(name(icu("en-GB", null), C, american)).isNull();
        assertThat(name(libc("en-US", "en-US"), C, american)).as("another provider's").isNull();
    }

    private static LocaleOf libc(String collate, String ctype) {
        return new LocaleOf("c", collate, ctype, null, null);
    }

    private static LocaleOf icu(String locale, @Nullable String rules) {
        return new LocaleOf("i", "C", "C", locale, rules);
    }

    private static @Nullable String name(LocaleOf own, Named... named) {
        return DatabaseCollation.name(own, List.of(named)).orElse(null);
    }
}
