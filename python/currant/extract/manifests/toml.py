"""Manifests that are TOML: pyproject.toml, Pipfile, Cargo.toml, Gradle's version catalogue."""

import re
import tomllib
from typing import Any, Final

from currant.extract.manifests.python import add_requirement, add_requirements
from currant.extract.manifests.values import BadManifestError, Manifest, scope_of_group, table, texts

# A dotted key costs tomllib the square of its parts.
_LONG_KEY: Final = re.compile(
    r"""(?:(?:[\w-]{1,64}|"[^"\n]{0,64}"|'[^'\n]{0,64}')[ \t]{0,8}\.[ \t]{0,8}){100}"""
)


def _loaded(text: str) -> dict[str, Any]:
    if _LONG_KEY.search(text):
        raise BadManifestError("a key of more than 100 parts")
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, ValueError) as error:
        raise BadManifestError(f"not TOML: {error}") from None


def pyproject(text: str) -> Manifest:
    """PEP 518, 621 and 735, and what Poetry, PDM, Hatch and uv have of their own."""
    said = _loaded(text)
    manifest = Manifest("pypi")
    project, tool = table(said, "project"), table(said, "tool")
    manifest.say(project.get("name"), project.get("version"))
    manifest.require("python", project.get("requires-python"))
    add_requirements(manifest, texts(table(said, "build-system").get("requires")), "build")
    add_requirements(manifest, texts(project.get("dependencies")), "runtime")
    for group, listed in table(project, "optional-dependencies").items():
        in_use = group.lower() in ("test", "tests", "testing", "dev", "develop", "lint", "docs", "doc")
        add_requirements(manifest, texts(listed), scope_of_group(group) if in_use else "optional")
    groups = [*table(said, "dependency-groups").items(), *table(tool, "pdm", "dev-dependencies").items()]
    for group, listed in groups:
        add_requirements(manifest, texts(listed), scope_of_group(group))
    add_requirements(manifest, texts(table(tool, "uv").get("dev-dependencies")), "dev")
    for name, environment in table(tool, "hatch", "envs").items():
        for key in ("dependencies", "extra-dependencies"):
            add_requirements(manifest, texts(table(environment).get(key)), scope_of_group(name))
    _poetry(manifest, table(tool, "poetry"))
    manifest.tools += tool
    backend = table(said, "build-system").get("build-backend")
    if isinstance(backend, str):
        manifest.tools.append(backend.partition(".")[0])
    return manifest


def _poetry(manifest: Manifest, poetry: dict[str, Any]) -> None:
    manifest.say(poetry.get("name"), poetry.get("version"))
    groups = [("runtime", poetry), ("dev", {"dependencies": poetry.get("dev-dependencies")})]
    groups += [(scope_of_group(name), table(group)) for name, group in table(poetry, "group").items()]
    for scope, group in groups:
        for name, wanted in table(group, "dependencies").items():
            spec = _spec(wanted)
            if name.lower() == "python":
                manifest.require("python", spec)
            else:
                optional = scope == "runtime" and table(wanted).get("optional") is True
                _add_python(manifest, name, spec, "optional" if optional else scope)


def _add_python(manifest: Manifest, name: str, spec: str, scope: str) -> None:
    """A name in the form that PEP 503 gives it, with a range that need not be one of PEP 440."""
    before = len(manifest.dependencies)
    probe = Manifest("pypi")
    if add_requirement(probe, name, scope):
        manifest.add(probe.dependencies[0].name, spec, scope)
    if len(manifest.dependencies) == before and not probe.dependencies:
        manifest.problems.append(f"not the name of a package: {name[:60]}")


def _spec(wanted: Any) -> str:
    """A version, or where the thing comes from: a text, a table, or a list of those."""
    if isinstance(wanted, list):
        return ", ".join(filter(None, map(_spec, wanted[:10])))
    if isinstance(wanted, dict):
        for key in ("version", "git", "path", "url"):
            if isinstance(wanted.get(key), str):
                return str(wanted[key])
        return "workspace" if wanted.get("workspace") is True else ""
    return wanted if isinstance(wanted, str) and wanted != "*" else ""


def pipfile(text: str) -> Manifest:
    """Pipenv's packages."""
    said = _loaded(text)
    manifest = Manifest("pypi", tools=["pipenv"])
    for key in ("python_version", "python_full_version"):
        manifest.require("python", table(said, "requires").get(key))
    for section, listed in said.items():
        if section not in ("requires", "source", "pipenv", "scripts"):
            scope = {"packages": "runtime", "dev-packages": "dev"}.get(section) or scope_of_group(section)
            for name, wanted in table(listed).items():
                _add_python(manifest, name, _spec(wanted), scope)
    return manifest


def cargo(text: str) -> Manifest:
    """A crate, a workspace, or both."""
    said = _loaded(text)
    manifest = Manifest("cargo")
    package = {**table(said, "workspace", "package"), **table(said, "package")}
    manifest.say(package.get("name"), package.get("version"))
    for key, what in (("rust-version", "rust"), ("edition", "rust-edition")):
        manifest.require(what, package.get(key))
    for place in (said, *map(table, table(said, "target").values())):
        for key, scope in (
            ("dependencies", "runtime"),
            ("dev-dependencies", "dev"),
            ("build-dependencies", "build"),
        ):
            for listed in (
                (place.get(key), place.get(key.replace("-", "_"))) if "-" in key else (place.get(key),)
            ):
                _crates(manifest, listed, scope)
    _crates(manifest, table(said, "workspace").get("dependencies"), "managed")
    return manifest


def _crates(manifest: Manifest, listed: Any, scope: str) -> None:
    for name, wanted in table(listed).items():
        details = table(wanted)
        renamed = details.get("package")
        optional = scope == "runtime" and details.get("optional") is True
        manifest.add(
            renamed if isinstance(renamed, str) else name, _spec(wanted), "optional" if optional else scope
        )


def gradle_catalog(text: str) -> Manifest:
    """``libs.versions.toml``: what builds may refer to."""
    said = _loaded(text)
    versions = table(said, "versions")
    manifest = Manifest("maven", tools=["gradle"])
    for entry in table(said, "libraries").values():
        if isinstance(entry, str):
            group, _, rest = entry.partition(":")
            name, _, version = rest.partition(":")
            manifest.add(f"{group}:{name}", version, "managed")
        else:
            details = table(entry)
            module = details.get("module") or f"{details.get('group')}:{details.get('name')}"
            manifest.add(module, _catalog_version(details.get("version"), versions), "managed")
    for entry in table(said, "plugins").values():
        if isinstance(entry, str):
            name, _, version = entry.partition(":")
            manifest.add(name, version, "plugin")
        else:
            details = table(entry)
            manifest.add(details.get("id"), _catalog_version(details.get("version"), versions), "plugin")
    return manifest


def _catalog_version(version: Any, versions: dict[str, Any], depth: int = 2) -> str:
    if isinstance(version, dict) and depth:
        if "ref" in version:
            return _catalog_version(versions.get(str(version["ref"])), versions, depth - 1)
        for key in ("strictly", "require", "prefer"):
            if isinstance(version.get(key), str):
                return str(version[key])
    return version if isinstance(version, str) else ""
