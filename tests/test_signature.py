"""Parameters from signatures, as the outline makes them from real declarations of each language."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from currant.extract import OutlineExtractor
from currant.record.signature import Parameter, parameters

P = Parameter


@pytest.mark.parametrize(
    ("language", "source", "expected"),
    [
        (
            "python",
            "class A:\n    def f(self, a, b: int = 3, /, *args: str, c=(1, 2), **kw) -> int: ...\n",
            [P("a"), P("b", "int", "3"), P("*args", "str"), P("c", None, "(1, 2)"), P("**kw")],
        ),
        ("python", "async def f(x: 'a: b' = ':=', *, y): ...\n", [P("x", "'a: b'", "':='"), P("y")]),
        (
            "javascript",
            "function f(a, {b, c} = {}, ...rest) {}\n",
            [P("a"), P("{b, c}", None, "{}"), P("...rest")],
        ),
        ("javascript", "const f = async (a, b = 1) => a;\n", [P("a"), P("b", None, "1")]),
        ("javascript", "class A { constructor(x) {} }\n", [P("x")]),
        (
            "javascript",
            "const o = { f: function (a, b) {} };\nexport const g = { h: (c) => 1 };\n",
            [P("a"), P("b")],
        ),
        ("typescript", "interface A { f?(id: number): void }\n", [P("id", "number")]),
        ("c", "static inline void f(uint64_t *out, int in) {}\n", [P("out", "uint64_t *"), P("in", "int")]),
        (
            "typescript",
            "function f<T extends X>(this: X, a: Map<string, T>, b?: () => void, ...c: T[]): T {}\n",
            [P("a", "Map<string, T>"), P("b", "() => void"), P("...c", "T[]")],
        ),
        (
            "typescript",
            "class A { constructor(private readonly x: number, y = 'a,b') {} }\n",
            [P("x", "number"), P("y", None, "'a,b'")],
        ),
        (
            "go",
            "package p\nfunc (r *T) Add(a, b int, f func(int) error, c ...string) (x int) { return }\n",
            [P("a", "int"), P("b", "int"), P("f", "func(int) error"), P("c", "...string")],
        ),
        ("go", "package p\nfunc Map[K comparable, V any](m map[K]V) {}\n", [P("m", "map[K]V")]),
        ("go", "package p\ntype I interface { M(int, string) }\n", []),
        (
            "rust",
            "impl T { fn f<'a, F: Fn(u8) -> u8>(&'a self, mut x: Vec<(u8, u8)>, g: F) -> u8 { 1 } }\n",
            [P("x", "Vec<(u8, u8)>"), P("g", "F")],
        ),
        (
            "java",
            "class A { <T> int f(final int a, @Nullable Map<String, List<T>> b, int... c) { return 1; } }\n",
            [P("a", "int"), P("b", "Map<String, List<T>>"), P("c", "int...")],
        ),
        (
            "c",
            "static int f(const char *name, int (*cb)(void *, int), char buf[16], ...) { return 0; }\n",
            [P("name", "const char *"), P("cb", "int (*)(void *, int)"), P("buf", "char [16]"), P("...")],
        ),
        ("c", "void f(void) {}\nint g(int, char *);\n", []),
        (
            "cpp",
            'std::vector<int> A::f(std::map<int, int> m, const std::string& s = "a,b", int n = 1 < 2) { }\n',
            [P("m", "std::map<int, int>"), P("s", "const std::string&", '"a,b"'), P("n", "int", "1 < 2")],
        ),
        (
            "csharp",
            "class A { public void F(this string s, ref int y, Dictionary<int, int> d = null) { } }\n",
            [P("s", "string"), P("y", "ref int"), P("d", "Dictionary<int, int>", "null")],
        ),
        (
            "php",
            "<?php function f(?Foo $a, int|string &$b = 3, ...$c) {}\n",
            [P("$a", "?Foo"), P("$b", "int|string", "3"), P("$c")],
        ),
        (
            "ruby",
            "def f(a, b = 1, *c, d:, e: 2, **g, &h)\nend\n",
            [P("a"), P("b", None, "1"), P("*c"), P("d"), P("e", None, "2"), P("**g"), P("&h")],
        ),
        ("ruby", "def f a, b\nend\n", [P("a"), P("b")]),
        (
            "kotlin",
            "fun <T> List<T>.f(a: Map<String, Int> = mapOf(), vararg b: Int): Int = 1\n",
            [P("a", "Map<String, Int>", "mapOf()"), P("b", "Int")],
        ),
        (
            "swift",
            "func move(_ a: Int, to b: [String: Int] = [:]) -> Int { 1 }\n",
            [P("a", "Int"), P("b", "[String: Int]", "[:]")],
        ),
        ("shell", "f() { :; }\n", []),
    ],
)
def test_the_parameters_of_a_declaration(language: str, source: str, expected: list[Parameter]) -> None:
    outline = OutlineExtractor().extract("x", language, source.encode()).record.symbols
    callables = [one for one in outline if one.kind in ("function", "method", "constructor")]
    found = [parameters(language, one.name, one.signature) for one in callables]
    assert (found or [[]])[0] == expected, [one.signature for one in callables]


def test_a_cut_signature_tells_what_is_left_of_it() -> None:
    assert parameters("python", "f", "def f(a, b=1, cccc…")[:2] == [P("a"), P("b", None, "1")]


LANGUAGES = (
    "python",
    "typescript",
    "go",
    "rust",
    "java",
    "c",
    "cpp",
    "php",
    "ruby",
    "kotlin",
    "swift",
    "x",
    None,
)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(LANGUAGES), st.text("f(){}[]<>:=,\"'`*&$.->@…ab 1\n", max_size=80))
def test_any_signature_has_parameters_or_none(language: str | None, signature: str) -> None:
    for one in parameters(language, "f", signature):
        assert one.type != ""
        assert one.default != ""
