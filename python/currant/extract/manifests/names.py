"""Which file names are manifests, and of which kind. Depends on the last component of a path alone."""

import re
from typing import Final

_NAMES: Final = {
    "pyproject.toml": "pyproject",
    "setup.cfg": "setup-cfg",
    "setup.py": "setup-py",
    "pipfile": "pipfile",
    "environment.yml": "conda",
    "environment.yaml": "conda",
    "package.json": "npm",
    "composer.json": "composer",
    "cargo.toml": "cargo",
    "go.mod": "go-mod",
    "pom.xml": "maven",
    "build.gradle": "gradle",
    "build.gradle.kts": "gradle",
    "gemfile": "gemfile",
    "gems.rb": "gemfile",
    "gemfile.lock": "gemfile-lock",
    "gems.locked": "gemfile-lock",
    "directory.packages.props": "msbuild",
    "directory.build.props": "msbuild",
    "packages.config": "nuget-config",
    "dockerfile": "docker",
    "containerfile": "docker",
}
_SUFFIXES: Final = {
    ".versions.toml": "gradle-catalog",
    ".gemspec": "gemspec",
    ".csproj": "msbuild",
    ".fsproj": "msbuild",
    ".vbproj": "msbuild",
    ".dockerfile": "docker",
}
_ENDS: Final = tuple(_SUFFIXES)
_BEGINS: Final = ("dockerfile.", "containerfile.")
_REQUIREMENTS: Final = re.compile(r"(.*[-_.])?requirements([-_.].*)?\.(?:txt|in)")

KINDS: Final = frozenset(
    {*_NAMES.values(), *_SUFFIXES.values(), "requirements", "requirements-dev", "requirements-test"}
)


def kind_of(name: str) -> str | None:
    """The kind of manifest that a file of this name is, None for any other file."""
    lower = name.lower()
    found = _NAMES.get(lower)
    if found is not None:
        return found
    if lower.endswith(_ENDS):  # asked for every row at each start
        for suffix, kind in _SUFFIXES.items():
            if lower.endswith(suffix) and lower != suffix:
                return kind
    if lower.startswith(_BEGINS):
        return "docker"
    if "requirements" in lower and (match := _REQUIREMENTS.fullmatch(lower)):
        words = set(re.split(r"[-_.]", f"{match[1] or ''}{match[2] or ''}"))
        if words & {"test", "tests", "testing"}:
            return "requirements-test"
        if words & {"dev", "develop", "development", "lint", "docs", "doc", "ci", "local", "build", "typing"}:
            return "requirements-dev"
        return "requirements"
    return None
