// Every construct that a scanner may trip over.
@Deprecated
package org.example.every;

import java.util.*;
import static java.util.Map.Entry;

/** Doc of the type. */
@SuppressWarnings({"a}", "b{"}) @Outer.Inner(value = @Nested("("), c = ')')
// between
public @Mid abstract class Every<K extends Comparable<? super K> & Runnable, @Ann({1}) V>
        extends @B Base<Map<K, List<V>>> implements A<B<C>>, D { // trailing

    private static final String QUOTE = "\"{", TEXT = """
        } " ""\\ \""" {
        """, LAST;
    public static final Map<String, List<int[]>> MAP = new HashMap<String, List<int[]>>(), OTHER = null;
    static final int[] ARRAY = {1, 2, 3}, GRID[] = {{1}, {2}}, THREE[][];
    @A static @B("x") final char C = '\'', D = '}', E = '\u007d';
    static final Function<A, B> LAMBDA = (a, b) -> { class Hidden {} return a < b; }, NEXT = Foo<A, B, C>::new;
    static final Object ANON = new Object() { void hidden() {} static final int HIDDEN = 1; };
    static final boolean LESS = a < b, MORE = c > d;
    final int notStatic = 1;
    static int notFinal;
    int plain, more[] = {1};
    @Nullable private final List<@NonNull String> list = new ArrayList<>();

    static {
        class InStatic { int x; }
    }

    {
        int x = 1;
        class InInstance {}
    }

    /** Makes one. */
    @Inject
    public <T> Every(final T t, int... rest) throws IOException, @X Error {
        this.<T>foo();
        final class Local extends Every<K, V> {
            static final int IN_LOCAL = 1;
            Local() { super(); }
        }
        // documented
        @Deprecated @SuppressWarnings("}") abstract class Annotated {}
        record Point(int x, int y) { Point { } Point(int a) { this(a, a); } }
        record Gen<T>(T t) {}
        enum Color { RED, GREEN { void f() {} } }
        interface Shape { int SIDES = 4; void draw(); }
        var record = new Object() { void hidden() { class Hidden {} } }.toString();
        record.foo(); record(1);
        Class<?> c = Every.class, d = int[].class;
        Runnable r = () -> { class InLambda { void go() {} } };
        Supplier<Every> s = Every::new;
        int[] array = new int[] {1, 2};
        Outer.Inner i = outer.new Inner(x) { void hidden() {} };
        new <T>Foo<A, B>(a) {{ hidden(); }}.run();
        switch (x) {
            case 1 -> { class InCase {} }
            case Point(int a, var b) when a > b -> {}
            default -> throw new Error("}");
        }
        if (a < b && c > d) label: for (;;) { break label; }
        String text = """
            class NotHere { "quoted" \
            }""";
        char q = '"';
        // end
    }

    // A comment
    /* and another */
    public abstract <A extends B, C> Map<A, C[]>[] generic(A a, C[]... c)[] throws X;
    native int[] n();
    java.util.List<java.lang.String> qualified(java.util.@A Map<?, ? extends B> m) { return null; }
    void one() {} void two() {} ; void three() {}
    @interface Marker {
        String value() default "}";
        int[] levels() default {};
        Class<?>[] types() default {String.class, int.class};
        Nested nested() default @Nested(a = {1}, b = ")");
        int CONSTANT = 1, SECOND = 2;
        enum Inner { A }
    }
    strictfp synchronized @Override final protected void modifiers() {}
    void receiver(@A Every this) {}
    boolean record() { return false; }
    void module(int open) {}
    int sealed, permits, yield, with;

    /** An enum. */
    public enum Level implements Supplier<String> {
        /** Low. */
        @Deprecated LOW("}", 1) {
            @Override int weight() { return 0; }
        },
        HIGH(2) /* c */,
        ; // end

        /** First after. */
        private final int value = 1;
        static final Level DEFAULT = LOW;
        Level(Object... x) {}
        abstract int weight();
    }

    enum Empty {}
    enum Trailing { A, B, }
    enum Members { ; void f() {} }

    /** A record. */
    public record Pair<A, B extends C<A>>(@Ann("(") A first, B... second) implements I<A> {
        static final int X = 1;
        /** Checks. */
        public Pair {
            Objects.requireNonNull(first);
        }
        @Deprecated Pair { }
        static { class S {} }
    }

    sealed interface Shape permits Circle, Square { }
    non-sealed interface Open extends Shape { default void f() { } static int g() { return 1; } private void h() {} }
    static sealed abstract class Circle implements Shape permits Small { int a; }
    static non-sealed class Square implements Shape {}

    /// Markdown documentation.
    /// In lines.
    void markdown() {}

    //! not this
    void around() {}

    int über(int ä) { return ä; }
}

/* Last. */ class Second { ; }
;
interface Third<T> extends Comparable<T>, Runnable {}
