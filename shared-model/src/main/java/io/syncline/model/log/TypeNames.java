package io.syncline.model.log;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/** Versioned type names that cross a process, and the record each one stands for; a class may be renamed, a name never. */
final class TypeNames<T> {

    private final Map<String, Class<? extends T>> classes = new LinkedHashMap<>();
    private final Map<Class<? extends T>, String> names = new HashMap<>();

    TypeNames<T> with(String name, Class<? extends T> type) {
        if (classes.put(name, type) != null || names.put(type, name) != null) {
            throw new IllegalArgumentException(name + " or " + type + " is listed twice");
        }
        return this;
    }

    String nameOf(T value) {
        String name = names.get(value.getClass());
        if (name == null) {
            throw new IllegalArgumentException(value.getClass() + " has no type name: add it to the list");
        }
        return name;
    }

    Class<? extends T> classOf(String name) {
        Class<? extends T> type = classes.get(name);
        if (type == null) {
            throw new MalformedRecordException("'" + name + "' is no type that this version knows");
        }
        return type;
    }

    Set<Class<? extends T>> types() {
        return names.keySet();
    }
}
