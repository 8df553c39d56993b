"""Manifests that are XML: pom.xml, the projects of MSBuild, packages.config.

Parsed by defusedxml with document types forbidden: no entity is expanded and nothing is fetched."""

import re
from collections.abc import Iterator
from typing import Any, Final
from xml.etree.ElementTree import Element, ParseError

from currant.extract.manifests.values import BadManifestError, Manifest

_PROPERTY: Final = re.compile(r"\$\{([\w.-]+)\}")
MAX_DEPTH: Final = 100


def _parsed(text: str) -> Element:
    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    try:
        root: Element = fromstring(text.encode(), forbid_dtd=True)
    except ParseError as error:
        raise BadManifestError(f"not XML: {error}") from None
    except (DefusedXmlException, ValueError, LookupError) as error:
        raise BadManifestError(f"refused XML: {type(error).__name__}") from None
    return root


def _tag(element: Element) -> str:
    """Its name without the namespace."""
    return str(element.tag).rpartition("}")[2]


def _children(element: Element | None, *path: str) -> Iterator[Element]:
    """The elements below this path of names."""
    if element is None:
        return
    if not path:
        yield element
        return
    for child in element:
        if _tag(child) == path[0]:
            yield from _children(child, *path[1:])


def _text(element: Element | None, *path: str) -> str:
    """The text of the first element below this path, ``""`` without one."""
    found = next(_children(element, *path), None)
    return (found.text or "").strip() if found is not None else ""


def maven(text: str) -> Manifest:
    """``pom.xml``; properties of the file itself are put in."""
    root = _parsed(text)
    if _tag(root) != "project":
        raise BadManifestError(f"a <{_tag(root)[:40]}>, not a <project>")
    known = {_tag(one): (one.text or "").strip() for block in _children(root, "properties") for one in block}
    version = _text(root, "version") or _text(root, "parent", "version")
    known.setdefault("project.version", version)
    known.setdefault("project.groupId", _text(root, "groupId") or _text(root, "parent", "groupId"))

    def resolved(text: str) -> str:
        return _PROPERTY.sub(lambda match: known.get(match[1], match[0]), text[:500])

    def add(element: Element, scope: str) -> None:
        artifact = resolved(_text(element, "artifactId"))
        group = resolved(_text(element, "groupId"))
        if not group and scope == "plugin":
            group = "org.apache.maven.plugins"
        if artifact:
            manifest.add(f"{group}:{artifact}", resolved(_text(element, "version")), scope)

    manifest = Manifest("maven", tools=["maven"])
    name = f"{known['project.groupId']}:{_text(root, 'artifactId')}"
    manifest.say(resolved(name).strip(":"), resolved(version))
    for key in ("maven.compiler.release", "java.version", "maven.compiler.source", "maven.compiler.target"):
        manifest.require("java", known.get(key))
    for parent in _children(root, "parent"):
        add(parent, "managed")
    profiles = list(_children(root, "profiles", "profile"))
    for place in (root, *profiles):
        for one in _children(place, "dependencies", "dependency"):
            given = _text(one, "scope")
            optional = "optional" if _text(one, "optional") == "true" else "runtime"
            add(one, {"test": "test", "provided": "build", "import": "managed"}.get(given, optional))
        for one in _children(place, "dependencyManagement", "dependencies", "dependency"):
            add(one, "managed")
        for path in (("build", "plugins"), ("build", "pluginManagement", "plugins")):
            for one in _children(place, *path, "plugin"):
                add(one, "plugin")
    return manifest


def msbuild(text: str) -> Manifest:
    """A project of .NET, or properties that many of them share."""
    root = _parsed(text)
    if _tag(root) != "Project":
        raise BadManifestError(f"a <{_tag(root)[:40]}>, not a <Project>")
    manifest = Manifest("nuget", tools=["msbuild"])
    version = _text(root, "PropertyGroup", "Version")
    if sdk := root.get("Sdk"):
        manifest.add(sdk.partition("/")[0], sdk.partition("/")[2], "build")
    for element in root.iter():
        name = element.get("Include") or element.get("Update")
        match _tag(element):
            case "PackageReference":
                private = (element.get("PrivateAssets") or _text(element, "PrivateAssets")).lower() == "all"
                manifest.add(name, _version(element), "dev" if private else "runtime")
            case "PackageVersion" | "GlobalPackageReference":
                manifest.add(name, _version(element), "managed")
            case "FrameworkReference":
                manifest.add(name, "", "runtime")
            case "PackageId" | "AssemblyName":
                manifest.say(element.text, version)
            case "TargetFramework" | "TargetFrameworks":
                manifest.require("dotnet", (element.text or "").strip() or None)
    return manifest


def _version(element: Element) -> str:
    return element.get("Version") or element.get("VersionOverride") or _text(element, "Version")


def nuget_config(text: str) -> Manifest:
    """``packages.config`` of older projects."""
    root = _parsed(text)
    if _tag(root) != "packages":
        raise BadManifestError(f"a <{_tag(root)[:40]}>, not <packages>")
    manifest = Manifest("nuget")
    for one in _children(root, "package"):
        scope: Any = "dev" if one.get("developmentDependency") == "true" else "runtime"
        manifest.add(one.get("id"), one.get("version"), scope)
    return manifest
