"""The reader of each kind of manifest. Owns the table alone; imported when the first manifest is read."""

from collections.abc import Callable
from typing import Final

from currant.extract.manifests import jsons, lines, python, toml, xml
from currant.extract.manifests.values import Manifest

READERS: Final[dict[str, Callable[[str], Manifest]]] = {
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
