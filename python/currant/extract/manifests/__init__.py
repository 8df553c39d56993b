"""Manifests: what a package, or an image, says that it needs. Read as data, never executed.

- `values`: what a manifest says, in plain values, and its bounds
- `names`: which file names are manifests, and of which kind
- `python`, `toml`, `jsons`, `xml`, `lines`: the readers, by how the format is written
- `read` (here): the reader of a kind, and what a text that is not of that kind is told
"""

from collections.abc import Callable
from typing import Final

from currant.extract.manifests import jsons, lines, python, toml, xml
from currant.extract.manifests.names import KINDS, kind_of
from currant.extract.manifests.values import BadManifestError, Dependency, Manifest

__all__ = ["KINDS", "BadManifestError", "Dependency", "Manifest", "kind_of", "read"]

_READERS: Final[dict[str, Callable[[str], Manifest]]] = {
    "pyproject": toml.pyproject,
    "setup-cfg": python.setup_cfg,
    "setup-py": python.setup_py,
    "requirements": lambda text: python.requirements(text, "runtime"),
    "requirements-dev": lambda text: python.requirements(text, "dev"),
    "requirements-test": lambda text: python.requirements(text, "test"),
    "pipfile": toml.pipfile,
    "conda": lines.conda,
    "npm": jsons.npm,
    "composer": jsons.composer,
    "cargo": toml.cargo,
    "gradle-catalog": toml.gradle_catalog,
    "go-mod": lines.go_mod,
    "gradle": lines.gradle,
    "gemfile": lines.gemfile,
    "gemfile-lock": lines.gemfile_lock,
    "gemspec": lines.gemspec,
    "docker": lines.dockerfile,
    "maven": xml.maven,
    "msbuild": xml.msbuild,
    "nuget-config": xml.nuget_config,
}


def read(kind: str, source: bytes) -> Manifest:
    """What a manifest of this kind (one of `KINDS`) says. Raises BadManifestError."""
    text = source.decode("utf-8-sig", "replace").replace("\r\n", "\n").replace("\r", "\n")
    try:
        return _READERS[kind](text)
    except RecursionError:
        raise BadManifestError("nested too deeply") from None
