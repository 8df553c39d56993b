"""What a manifest says, in plain values. Owns their bounds: text that can be stored, and not without end."""

from typing import Any, Final

from msgspec import Struct, field

MAX_TEXT: Final = 200
MAX_DEPENDENCIES: Final = 2_000

SCOPES: Final = (
    *("runtime", "optional", "peer", "dev", "test", "build", "plugin", "image"),
    *("indirect", "managed", "locked"),
)
"""What a dependency is for. ``managed``: its version is fixed here, whoever needs it; ``locked``: what a lock
file of direct dependencies says; ``plugin``: of the build tool; ``indirect``: needed by what is needed."""


class BadManifestError(Exception):
    """This text is not a manifest of its kind; the message says why. A note on its record."""


class Dependency(Struct, frozen=True):
    """One thing that is needed: `spec` is the version, range or place as it is written, ``""`` for any."""

    name: str
    spec: str
    scope: str


class Manifest(Struct):
    """What one manifest says.

    `ecosystem` is the type of a package URL (``pypi``, ``npm``, ``cargo``, ...). `requires` holds the wanted
    versions of languages and platforms (``{"python": ">=3.11"}``), `tools` the names of tools that have their
    settings here, or are asked for by name.
    """

    ecosystem: str
    name: str | None = None
    version: str | None = None
    requires: dict[str, str] = field(default_factory=dict)
    tools: list[str] = field(default_factory=list)
    dependencies: list[Dependency] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    _seen: set[Dependency] = field(default_factory=set)

    def add(self, name: Any, spec: Any, scope: str) -> None:
        """One dependency; anything without a name is left out, what is said twice is kept once."""
        if not isinstance(name, str) or not (cleaned := clean(name)):
            return
        dependency = Dependency(cleaned, clean(spec) if isinstance(spec, str) else "", scope)
        if dependency not in self._seen and len(self._seen) < MAX_DEPENDENCIES:
            self._seen.add(dependency)
            self.dependencies.append(dependency)
        elif dependency not in self._seen and len(self._seen) == MAX_DEPENDENCIES:
            self._seen.add(dependency)
            self.problems.append(f"only the first {MAX_DEPENDENCIES} dependencies are listed")

    def say(self, name: Any, version: Any) -> None:
        """Who the package is, where it says so."""
        self.name = self.name or (clean(name) if isinstance(name, str) else "") or None
        self.version = self.version or (clean(version) if isinstance(version, str) else "") or None

    def require(self, what: str, version: Any) -> None:
        """A version of a language or platform."""
        if isinstance(version, str | int | float) and not isinstance(version, bool):
            self.requires.setdefault(clean(what), clean(str(version)))

    def as_fact(self, kind: str) -> dict[str, Any]:
        """The fact ``manifest``."""
        return {
            "kind": kind,
            "ecosystem": self.ecosystem,
            "name": self.name,
            "version": self.version,
            "requires": dict(sorted(self.requires.items())),
            "tools": sorted({cleaned for tool in self.tools if (cleaned := clean(tool))}),
            "dependencies": [
                {"name": one.name, "spec": one.spec, "scope": one.scope} for one in self.dependencies
            ],
        }


def clean(text: str) -> str:
    """One line of text that can be stored: no halves of characters, no line ends, and not too long."""
    return " ".join(text.encode("utf-8", "replace").decode().split())[:MAX_TEXT]


def table(value: Any, *keys: str) -> dict[str, Any]:
    """The table below these keys, an empty one where there is none or something else."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def texts(value: Any) -> list[str]:
    """The texts of a list, without what is none."""
    return [one for one in value if isinstance(one, str)] if isinstance(value, list | tuple) else []


def scope_of_group(group: str) -> str:
    """What a named group of dependencies is for."""
    group = group.lower()
    if "test" in group:
        return "test"
    return "build" if group in ("build", "package", "packaging") else "dev"
