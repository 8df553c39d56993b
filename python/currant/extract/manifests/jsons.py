"""Manifests that are JSON: package.json, composer.json."""

import json
from typing import Any

from currant.extract.manifests.values import BadManifestError, Manifest, table


def _loaded(text: str) -> dict[str, Any]:
    try:
        said = json.loads(text)
    except ValueError as error:
        raise BadManifestError(f"not JSON: {error}") from None
    if not isinstance(said, dict):
        raise BadManifestError("not a JSON object")
    return said


def npm(text: str) -> Manifest:
    """``package.json`` of npm, yarn, pnpm and bun."""
    said = _loaded(text)
    manifest = Manifest("npm")
    manifest.say(said.get("name"), said.get("version"))
    for key, scope in (
        ("dependencies", "runtime"),
        ("optionalDependencies", "optional"),
        ("peerDependencies", "peer"),
        ("devDependencies", "dev"),
    ):
        for name, spec in table(said, key).items():
            manifest.add(name, spec, scope)
    for what, version in table(said, "engines").items():
        manifest.require(what, version)
    manager = said.get("packageManager")
    if isinstance(manager, str):
        manifest.tools.append(manager.partition("@")[0])
    # Tools that read their settings from here.
    manifest.tools += (
        key for key in ("jest", "eslintConfig", "prettier", "babel", "ava", "mocha") if key in said
    )
    return manifest


def composer(text: str) -> Manifest:
    """``composer.json``."""
    said = _loaded(text)
    manifest = Manifest("composer")
    manifest.say(said.get("name"), said.get("version"))
    for key, scope in (("require", "runtime"), ("require-dev", "dev")):
        for name, spec in table(said, key).items():
            if name == "php" or name.startswith(("ext-", "lib-", "php-")):
                manifest.require(name, spec)
            else:
                manifest.add(name, spec, scope)
    return manifest
