"""In which language a header is written: the core's answer against the rules written down a second time."""

import re
import sysconfig
from pathlib import Path
from typing import Final

from hypothesis import given
from hypothesis import strategies as st

from currant import _core
from currant.extract.languages import detect

_CPP: Final = re.compile(
    rb"^[ \t]*(?:template[ \t]*<"
    rb"|(?:inline[ \t]+)?namespace(?:[ \t]+[A-Za-z_][\w:]*)?[ \t]*(?:\{|$)"
    rb"|using[ \t]+(?:namespace\b|[A-Za-z_]\w*[ \t]*=|[\w:]+::\w+[ \t]*;)"
    rb"|class[ \t]+[A-Za-z_][\w: \t]*(?:\{|;|:|$)"
    rb"|(?:public|private|protected)[ \t]*:"
    rb"|(?:constexpr|explicit|virtual|friend|consteval|concept)[ \t]+[\w:~<>,*& \t]+[(;={]"
    rb"|static_cast<)",
    re.MULTILINE,
)
_NAMED: Final = re.compile(rb"include[ \t]*<(\w+)>")
_LIBRARY: Final = frozenset(
    b"""
    algorithm any array atomic bitset cassert cctype cerrno charconv chrono cinttypes climits cmath
    compare concepts condition_variable coroutine ctime deque exception filesystem forward_list
    fstream functional future initializer_list iomanip ios iosfwd iostream istream iterator limits
    list locale map memory mutex new numeric optional ostream queue random ranges ratio regex set
    shared_mutex span sstream stack stdexcept streambuf string string_view system_error thread tuple
    type_traits typeindex typeinfo unordered_map unordered_set utility valarray variant vector
    cstring
    """.split()
)
_GUARD: Final = re.compile(
    rb"^[ \t]*#[ \t]*if(?:def[ \t]+|[ \t]+defined[ \t]*\(?[ \t]*)__cplusplus.*?^[ \t]*#[ \t]*(?:else|endif)",
    re.MULTILINE | re.DOTALL,
)
_OBJC: Final = re.compile(
    rb"^[ \t]*(?:(?:@interface|@implementation|@protocol|@import|@class|#[ \t]*import"
    rb"|NS_ASSUME_NONNULL_BEGIN)\b|typedef[ \t]+NS_(?:ENUM|OPTIONS|CLOSED_ENUM)\b)",
    re.M,
)
# What the expressions above turn on, and what is near to it.
_TEXTS: Final = rb"""
    template <class T>|template|namespace a::b {|inline namespace|namespace|using namespace x;|using a = b;
    using a::b;|using|class A {|class A;|class A|class|public:|private :|protected|constexpr f(|explicit A(
    virtual ~A() =0|consteval int f(|concept C = x;|static_cast<int>(x)|{|}|;|:|extern "C" {|__cplusplus
    #ifdef __cplusplus|# if defined(__cplusplus)|#if defined __cplusplus|#else|#endif|#include <vector>
    #include <cstdint>|#include <stdint.h>|@interface A|@class B;|@classy|#import <A.h>|# import|import|int x;
    NS_ASSUME_NONNULL_BEGIN|typedef NS_ENUM(int, A)|typedef NS_ENUMS|/* a class { */|-*- c++ -*-|vim: ft=cpp
    filetype=c|syntax=|ft"""
_PARTS: Final = (
    *_TEXTS.replace(b"\n    ", b"|").split(b"|"),
    *(b"\n", b"\n", b"\n", b" ", b"\t", b"\r\n", b"\xff", b"\0", b"\xc3\xa9"),
)


def expected(head: bytes) -> str:
    if _OBJC.search(head):
        return "objective-c"
    if b"__cplusplus" in head:
        head = _GUARD.sub(b"", head)
    library = any(name in _LIBRARY or re.match(rb"cstd\w", name) for name in _NAMED.findall(head))
    return "cpp" if library or _CPP.search(head) else "c"


@given(st.lists(st.sampled_from(_PARTS), max_size=12).map(b"".join))
def test_headers(head: bytes) -> None:
    assert _core.header_language(head) == expected(head)
    assert _core.is_objective_c(head) == (_OBJC.search(head) is not None)
    words = (b"-*-", b"ft=", b"filetype=", b"syntax=")
    assert _core.has_mode_words(head) == any(word in head for word in words)


def test_headers_that_exist() -> None:
    places = [Path(sysconfig.get_path("include")), Path("/usr/include")]
    found = [path for place in places for path in sorted(place.rglob("*.h"))[:2_000] if path.is_file()]
    assert found
    for path in found:
        head = path.read_bytes()[:8192]
        assert _core.header_language(head) == expected(head), path


def test_a_mode_line_goes_before_what_the_text_looks_like() -> None:
    assert detect("a.h", b"/* -*- C++ -*- */\nint f(void);\n") == "cpp"
    assert detect("a.h", b"// vim: set ft=c:\nclass A {\n") == "c"
    assert detect("a.h", b"/* -*- python -*- */\nclass A {\n") == "cpp"
