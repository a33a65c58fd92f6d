package io.syncline.model.property;

import java.lang.reflect.RecordComponent;
import java.util.Collection;
import java.util.HashSet;
import java.util.Locale;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;

/** The {@code syncline.*} properties that somebody reads: another one is most likely one of them, misspelt. */
public final class PropertyNames {

    private final Set<String> names = new HashSet<>();
    private final Set<String> beginnings = new HashSet<>();

    /** @param read the record whose components are bound below the prefix; one that is a record again is a level of names */
    public PropertyNames with(String prefix, Class<?> read) {
        for (RecordComponent component : read.getRecordComponents()) {
            String name = prefix + "." + component.getName();
            if (component.getType().isRecord()) {
                with(name, component.getType());
            } else {
                names.add(canonical(name));
            }
            if (Collection.class.isAssignableFrom(component.getType())) {
                // Its entries, by their numbers.
                beginnings.add(canonical(name + "["));
            }
        }
        return this;
    }

    /** @param read one that ends with a dot stands for all that begin so */
    public PropertyNames with(Collection<String> read) {
        read.forEach(name -> (name.endsWith(".") ? beginnings : names).add(canonical(name)));
        return this;
    }

    public PropertyNames with(PropertyNames others) {
        names.addAll(others.names);
        beginnings.addAll(others.beginnings);
        return this;
    }

    /** Those of ours that nobody reads. */
    public SortedSet<String> unknown(Collection<String> given) {
        SortedSet<String> unknown = new TreeSet<>();
        for (String name : given) {
            String canonical = canonical(name);
            if (canonical.startsWith("syncline.") && !names.contains(canonical)
                    && beginnings.stream().noneMatch(canonical::startsWith)) {
                unknown.add(name);
            }
        }
        return unknown;
    }

    /** As Spring compares names: dashes, underscores and case make no difference. */
    public static String canonical(String name) {
        return name.toLowerCase(Locale.ROOT).replace("-", "").replace("_", "");
    }
}
