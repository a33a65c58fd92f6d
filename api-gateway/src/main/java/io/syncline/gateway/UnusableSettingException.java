package io.syncline.gateway;

import java.util.function.Supplier;
import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;

/** A property with which the gateway does not start; the message names it, its value, and the remedy. */
final class UnusableSettingException extends RuntimeException {

    UnusableSettingException(String message) {
        super(message);
    }

    /** What rooms find wrong with their settings is said in the same way. */
    static <T> T orElse(Supplier<T> setting) {
        try {
            return setting.get();
        } catch (IllegalArgumentException e) {
            throw new UnusableSettingException(String.valueOf(e.getMessage()));
        }
    }

    /** Has Spring say only the message, not the trace around it. Named in META-INF/spring.factories. */
    static final class Analyzer extends AbstractFailureAnalyzer<UnusableSettingException> {

        @Override
        protected FailureAnalysis analyze(Throwable rootFailure, UnusableSettingException cause) {
            return new FailureAnalysis(String.valueOf(cause.getMessage()), null, rootFailure);
        }
    }
}
