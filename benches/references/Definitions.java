// Java by javac's own tree. Paths come on standard input, one a line; for each a line of JSON goes out:
// {path, error} or {path, found: [[name, kind, line]]}. Run with `java Definitions.java`.

import com.sun.source.tree.*;
import com.sun.source.util.*;
import java.io.*;
import java.nio.file.*;
import java.util.*;
import javax.lang.model.element.Modifier;
import javax.tools.*;

public class Definitions {
    public static void main(String[] arguments) throws IOException {
        var compiler = ToolProvider.getSystemJavaCompiler();
        var manager = compiler.getStandardFileManager(null, null, null);
        var lines = new BufferedReader(new InputStreamReader(System.in));
        for (String path; (path = lines.readLine()) != null; ) {
            var problems = new DiagnosticCollector<JavaFileObject>();
            var files = manager.getJavaFileObjects(Path.of(path));
            var task = (JavacTask) compiler.getTask(null, manager, problems, List.of("-proc:none"), null, files);
            var found = new ArrayList<String>();
            for (var unit : task.parse()) new Finder(unit, Trees.instance(task).getSourcePositions(), found).scan(unit, null);
            boolean failed = problems.getDiagnostics().stream().anyMatch(one -> one.getKind() == Diagnostic.Kind.ERROR);
            var rest = failed ? "\"error\": \"does not parse\"" : "\"found\": [" + String.join(", ", found) + "]";
            System.out.println("{\"path\": \"" + path + "\", " + rest + "}");
        }
    }

    static class Finder extends TreeScanner<Void, ClassTree> {
        final CompilationUnitTree unit;
        final SourcePositions positions;
        final List<String> found;

        Finder(CompilationUnitTree unit, SourcePositions positions, List<String> found) {
            this.unit = unit;
            this.positions = positions;
            this.found = found;
        }

        void add(CharSequence name, String kind, Tree tree) {
            long line = unit.getLineMap().getLineNumber(positions.getStartPosition(unit, tree));
            found.add("[\"" + name + "\", \"" + kind + "\", " + line + "]");
        }

        @Override public Void visitModule(ModuleTree tree, ClassTree around) {
            add(tree.getName().toString(), "module", tree);
            return null;
        }

        @Override public Void visitClass(ClassTree tree, ClassTree around) {
            if (tree.getSimpleName().isEmpty()) return null; // anonymous
            add(tree.getSimpleName(), switch (tree.getKind()) {
                case INTERFACE, ANNOTATION_TYPE -> "interface";
                case ENUM -> "enum";
                default -> "class";
            }, tree);
            return super.visitClass(tree, tree);
        }

        @Override public Void visitNewClass(NewClassTree tree, ClassTree around) {
            return null; // arguments may hold lambdas, and those only local classes
        }

        @Override public Void visitMethod(MethodTree tree, ClassTree around) {
            boolean constructor = tree.getName().contentEquals("<init>");
            add(constructor ? around.getSimpleName() : tree.getName(), constructor ? "constructor" : "method", tree);
            return tree.getBody() == null ? null : scan(tree.getBody(), null);
        }

        @Override public Void visitVariable(VariableTree tree, ClassTree around) {
            var flags = tree.getModifiers().getFlags();
            boolean ofInterface = around != null
                && (around.getKind() == Tree.Kind.INTERFACE || around.getKind() == Tree.Kind.ANNOTATION_TYPE);
            boolean enumerator = positions.getEndPosition(unit, tree.getModifiers()) < 0 && tree.toString().contains("/*public static final*/");
            if (around != null && !enumerator && (ofInterface || flags.containsAll(Set.of(Modifier.STATIC, Modifier.FINAL)))) add(tree.getName(), "constant", tree);
            return around == null ? super.visitVariable(tree, null) : null;
        }
    }
}
