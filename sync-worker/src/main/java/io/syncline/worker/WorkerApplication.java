package io.syncline.worker;

import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;

/** Runs one worker. */
@SpringBootConfiguration
@EnableAutoConfiguration
public class WorkerApplication {

    public static void main(String[] args) {
        application().run(args);
    }

    /**
     * Its settings are in worker.yml: two applications share the class path in the
     * standalone cluster, so neither may own application.yml.
     */
    public static SpringApplicationBuilder application() {
        return new SpringApplicationBuilder(WorkerApplication.class).properties("spring.config.name=worker");
    }
}
