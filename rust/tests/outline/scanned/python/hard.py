#!/usr/bin/env python
# What is hard about Python for whoever does not parse it.
from typing import TypeVar, NewType
import collections

# Values, in every form.
A = 1
AB = 1; CD = 2; ef = 3
GH: int = 4; ij: str; KL: dict[str, int] = {"a": 1}
MN = OP = QR = [1, 2]
st, UV = WX, YZ = 1, 2
(BA, ab), CA = 1, 2
[DA, EA] = 1, 2
(FA, fa) = 3, 4
(
    GA,  # the first
    HA,
) = 1, 2
self_like.attribute = IA = 5
JA = lambda x, y=2, *, z=lambda: 3: (x, y)
KA = lambda: 1, 2
LA = TypeVar("LA", bound="int")
MA = collections.namedtuple("MA", ["a", "b"])
NA = collections.namedtuple("NA", "a")._replace(b=1)
OA = await_like(NewType)("a", int)
PA = NewType("PA", int) or 3
la: TypeVar = TypeVar("la")
QA += 1
RA == 3
SA, TA = TA, SA
UA = VA == 3
WA = {
    "a": "b",  # of a dictionary
    'c#': '"""',
}
XA = """a
string = 3
def no(): pass
"""
YA = f"{XA!r:>{AB}} {{}} {'a' if CD else "b"} {lambda_: 3}"
ZA = "a" \
    "b"
if (BB := 3) > 2: BC = 3; BD = 4  # trailing
else: BE = 5
for BF in range(3):
    BG = BF
while False: BH = 1
with open("a") as BI, open("b") as BJ:
    BK = 3
try:
    BL = 1
except (A, B) as BM: BN = 2
finally:
    BO = 2
match AB:
    case 1: BP = 1
    case [1, 2, *BQ] if BQ:
        BR = 3

        def in_a_case(): pass
    case {"a": 1, **BT}:
        pass
match = 3
case: int = 4
match(AB)
match[AB] = 3
match.x = 4
case (AB)
type = 3
type: str = 4
type(AB)
type Alias = int
type Generic_[T: (int, str), *Ts, **P] = list[T]; BU = 4
type in (1, 2)
print = BV = 3
async_ = 4
del AB
assert BV == 3, "a=b"
lambda: BW
BX = yield_like = 4


# Above a function.
def plain(a, b=":", *, c=lambda x: {1: 2}, **d) -> {"a": 1}:  # trailing
    # before the docstring
    """The docstring."""


def one_line(): return "no docstring"


def a_string_in_one_line(): "A docstring"; return 1
def no_docstring(): "a", "b"
def joined(): "A docstring " 'of two'
def formatted(): "%s" % 3
def called(): "a".join(b)
def conditional():
    if "no docstring":
        pass
def returned():
    return "no docstring"
def asserted():
    assert "no docstring"
def raw(): r"""Raw \d."""
def uni(): u'''Uni
    code.

      More.
    '''


def parts():
    """First
    """ "second"
def semicolon(): pass;
def in_brackets():
    ("no docstring")


# Not contiguous.

def gap(): pass
# A comment that does not touch.
x = 3
def after(): pass


def generic[T, *Ts, **P](a: T, *args: *Ts) -> T: ...
class Generic[T: int](Base[T], metaclass=Meta): ...
class Empty: pass
class Bare(): x = 1; y = 2


@decorator
# between
@decorator(
    1,  # a comment
    2,
)

async def decorated(
    a, # first
    b = 3, # second )
    c = "#",
): # third
    pass
    # at the end of the body
        # deeper
  # of nothing
# of the module


class Outer(Base):  # trailing
    # Not about the method.
    LIMIT = 1
    x: int = 3

    # About the method.
    def method(self):
        def nested():
            '''Nested.'''
            class Deep:
                def deeper(self): pass
                type Inner = int

                # about deepest
                async def deepest(self):
                    pass
                # ends Deep
            # ends nested
        # ends method
    # ends Outer

    @property
    def value(self): return self.x.setter

    @value.setter  # noqa
    def value(self, value): pass

    @value.getter
    # commented.setter
    def value(self): pass

    @functools.cached_property
    def cached(self):
        return 1

    @staticmethod
    def static(): return a.property

    @property
    class Odd:
        def method(self): pass

    if True:
        def __init__(self): pass
    else:
        def __init__(self, a): pass

    def __init__(self,
                 a): pass

    for x in y:
        def in_a_loop(self): pass

    match x:
        case 1:
            def matched(self): pass

    """a string
def not_this(): pass
    """
    z = [
        def_ for def_ in
        x]
    async def __aenter__(self): pass
    def größe(self): pass


def tabs():
	if x:
		def inside():
			pass
	# in tabs
	return 1


def continued(a, \
              b) \
        -> int:
    return \
        3

class \
    Broken: pass


if x \
   and y:
    def conditional(): pass


def strings():
    a = 'it\'s', "\"", '\\', r'\'', rb"\"", b'\\', Rb'''a'b''', u"", F"{a}", f'{a["b"]}', fr"\{a}", f"\N{DASH}"
    b = f'''{
        a
    } {b:{c}.{d}} {{ }} {e!r}'''
    c = f"{f'{f"{a}"}'}" + f"{x:%H:%M}" + f"{ {1: 2}[1] }" + f"{(lambda x: 1)(2)}" + f"{a != b}"
    return 1if a else"b"


# last, indented less than the body
