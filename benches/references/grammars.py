"""C and C++ by the tree-sitter grammars, which our scanner does not use.

A file in whose tree there is an error is no reference for anything below that error: macros that stand where
the grammar wants a declaration leave it guessing. Such files are counted and left out.
"""

from typing import Any

Found = list[tuple[str, str, int]]
TYPES = {
    "struct_specifier": "struct",
    "union_specifier": "union",
    "enum_specifier": "enum",
    "class_specifier": "class",
}


class Unreadable(Exception):
    """The grammar's tree of the file has an error."""


def definitions(language: str, source: bytes) -> Found:
    """Raises Unreadable, and ImportError when the grammar is not installed."""
    import tree_sitter

    if language == "c":
        import tree_sitter_c as grammar
    else:
        import tree_sitter_cpp as grammar
    parser = tree_sitter.Parser(tree_sitter.Language(grammar.language()))
    root = parser.parse(source).root_node
    if root.has_error:
        raise Unreadable
    found: Found = []
    _walk(root, "open", found)
    return found


def _add(found: Found, name: Any, kind: str) -> None:
    found.append(("".join(name.text.decode(errors="replace").split()), kind, name.start_point[0] + 1))


def _walk(node: Any, place: str, found: Found) -> None:
    for child in node.named_children:
        _visit(child, place, found)


def _visit(node: Any, place: str, found: Found) -> None:
    kind = node.type
    if kind in ("preproc_def", "preproc_function_def"):
        name = node.child_by_field_name("name")
        if not (node.parent.type == "preproc_ifdef" and _guards(node)):
            _add(found, name, "macro")
    elif kind in TYPES:
        body = node.child_by_field_name("body")
        name = node.child_by_field_name("name")
        if body is not None:
            if name is not None and name.type != "qualified_identifier" and name.type != "template_type":
                _add(found, name, TYPES[kind])
            elif name is not None:
                _add(found, _last(name), TYPES[kind])
            if kind != "enum_specifier":
                _walk(body, "type", found)
    elif kind == "namespace_definition":
        name = node.child_by_field_name("name")
        if name is not None:
            _add(found, name, "namespace")
        _walk(node.child_by_field_name("body"), "open", found)
    elif kind == "function_definition":
        _function(node, place, found)
    elif kind == "type_definition":
        _visit(node.child_by_field_name("type"), place, found)
        for declarator in node.children_by_field_name("declarator"):
            name = _named(declarator)
            if name is not None:
                _add(found, name, "type")
    elif kind == "alias_declaration" or kind == "concept_definition":
        _add(found, node.child_by_field_name("name"), "type")
    elif kind == "declaration" and place == "open":
        _declaration(node, found)
    elif kind in ("declaration", "field_declaration"):
        type_ = node.child_by_field_name("type")
        if type_ is not None:
            _visit(type_, place, found)
    elif kind not in ("compound_statement", "initializer_list", "field_initializer_list"):
        _walk(node, place, found)


def _macros(node: Any, found: Found) -> None:
    """Inside a function nothing counts but what the preprocessor is told, which has no scopes."""
    stack = [node]
    while stack:
        for child in stack.pop().named_children:
            if child.type in ("preproc_def", "preproc_function_def"):
                _visit(child, "function", found)
            else:
                stack.append(child)


def _guards(node: Any) -> bool:
    """`#ifndef A` directly followed by `#define A` without a value, at the head of a file."""
    around = node.parent
    guarded = around.child_by_field_name("name")
    return (
        guarded is not None
        and around.children[0].type == "#ifndef"
        and node.child_by_field_name("value") is None
        and guarded.text == node.child_by_field_name("name").text
    )


def _function(node: Any, place: str, found: Found) -> None:
    type_ = node.child_by_field_name("type")
    if type_ is not None:
        _visit(type_, place, found)
    declarator = node.child_by_field_name("declarator")
    body = node.child_by_field_name("body")
    if body is not None and b"#" in body.text:
        _macros(body, found)
    name = _named(declarator)
    if name is None:
        return
    qualified = False
    owner = None
    while name.type == "qualified_identifier":
        qualified = True
        owner = name.child_by_field_name("scope") or owner
        name = name.child_by_field_name("name")
    name = _last(name)
    text = name.text.decode(errors="replace")
    if type_ is None and text.isupper() and declarator.type == "function_declarator":
        made = _made_by_macro(text, declarator.child_by_field_name("parameters"))
        if made:
            found.append((made, "function", name.start_point[0] + 1))
            return
    kind = "method" if place == "type" or qualified else "function"
    bare = owner.text.decode(errors="replace").split("<")[0] if owner is not None else None
    around = node
    while around is not None and around.type not in (
        "struct_specifier",
        "class_specifier",
        "union_specifier",
    ):
        around = around.parent
    own = around.child_by_field_name("name") if around is not None else None
    inside = own.text.decode(errors="replace").split("<")[0].split("::")[-1] if own is not None else None
    if text in (bare, inside) and text is not None:
        kind = "constructor"
    _add(found, name, kind)


def _made_by_macro(macro: str, parameters: Any) -> str:
    """`TEST(Suite, name) {` is `Suite.name`, `SYSCALL_DEFINE1(read, ...) {` is `read`."""
    words = [child.text.decode(errors="replace") for child in parameters.named_children]
    if "TEST" in macro:
        return ".".join(words[:2])
    return words[0] if words and words[0].isidentifier() else ""


def _last(name: Any) -> Any:
    """`A<int>::f<int>` is `f`."""
    while name.type in ("qualified_identifier", "template_function", "template_type", "template_method"):
        name = name.child_by_field_name("name")
    return name


def _declaration(node: Any, found: Found) -> None:
    type_ = node.child_by_field_name("type")
    if type_ is not None:
        _visit(type_, "open", found)
    kinds = {child.type for child in node.children}
    elsewhere = any(
        child.type == "storage_class_specifier" and child.text == b"extern" for child in node.children
    )
    if elsewhere and "init_declarator" not in kinds:
        return
    fixed = any(child.type == "type_qualifier" and child.text == b"constexpr" for child in node.children)
    for declarator in node.children_by_field_name("declarator"):
        if not _declares_function(declarator):
            name = _named(declarator)
            if name is not None:
                _add(found, _last(name), "constant" if fixed else "variable")


def _declares_function(declarator: Any) -> bool:
    """`int f(int)` and `int *f(void)`, but not `int (*f)(int)`."""
    while declarator is not None:
        if declarator.type == "function_declarator":
            inner = declarator.child_by_field_name("declarator")
            return inner is None or inner.type != "parenthesized_declarator"
        following = declarator.child_by_field_name("declarator")
        if following is None and declarator.type in ("reference_declarator", "parenthesized_declarator"):
            following = declarator.named_children[0] if declarator.named_children else None
        declarator = following
    return False


def _named(declarator: Any) -> Any:
    """The name that a declarator declares."""
    while declarator is not None:
        if declarator.type in (
            "identifier",
            "type_identifier",
            "field_identifier",
            "qualified_identifier",
            "template_function",
            "operator_name",
            "destructor_name",
            "primitive_type",
        ):
            return declarator
        inner = declarator.child_by_field_name("declarator")
        if inner is None and declarator.type in (
            "reference_declarator",
            "parenthesized_declarator",
            "attributed_declarator",
        ):
            inner = next(iter(declarator.named_children), None)
        declarator = inner
    return None
