/*
 * Copyright someone.
 */
import java.util.List;

/** The module. */
@Deprecated(since = "1")
open module org.example.every {
    requires transitive java.base;
    exports org.example to a.b, c.d;
    opens org.example;
    uses org.example.Service;
    provides org.example.Service with org.example.Impl;
}
