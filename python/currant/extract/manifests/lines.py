"""Manifests that are read line by line: go.mod, Gradle builds, Gemfiles, Dockerfiles, conda environments.

Gradle builds and Gemfiles are programs: what they say in so many words is read, what they compute is not."""

import re
from typing import Final

from currant.extract.manifests.values import Manifest, scope_of_group

_LINE: Final = 2_000  # characters that are looked at: no expression below is asked more


def _lines(text: str, comment: str) -> list[str]:
    """Lines without what follows a comment mark that stands first or after a blank."""
    mark = re.compile(rf"(?:^|\s){comment}.*")
    return [mark.sub("", line[:_LINE]).rstrip() for line in text.split("\n")]


# --- Go -----------------------------------------------------------------------------------------------


def go_mod(text: str) -> Manifest:
    """The directives of ``go.mod``; what is only needed by what is needed is ``indirect``."""
    manifest = Manifest("golang")
    block = ""
    for line in text.split("\n"):
        code, _, remark = line[:_LINE].partition("//")
        words = code.split()
        if not words:
            continue
        if words == [")"]:
            block = ""
            continue
        if len(words) == 2 and words[1] == "(":
            block = words[0]
            continue
        verb, arguments = (block, words) if block else (words[0], words[1:])
        if not arguments:
            continue
        first = arguments[0].strip('"`')
        if verb == "module":
            manifest.say(first, None)
        elif verb in ("go", "toolchain"):
            manifest.require(verb, first)
        elif verb == "tool":
            manifest.tools.append(first)
        elif verb == "require" and len(arguments) > 1:
            manifest.add(first, arguments[1], "indirect" if "indirect" in remark else "runtime")
    return manifest


# --- Gradle -------------------------------------------------------------------------------------------

_CONFIGURATION: Final = (
    r"(?P<for>(?:[a-z]\w*)?(?:[iI]mplementation|[cC]ompileOnly|[rR]untimeOnly|[aA]nnotationProcessor)|api|compile"
    r"|testCompile|kapt\w*|ksp\w*|classpath|developmentOnly|debugApi|releaseApi|compileOnlyApi)"
)
_WRAPPED: Final = r"\s*\(?\s*(?:(?:platform|enforcedPlatform)\s*\(\s*)?"
_GRADLE: Final = re.compile(
    rf"^\s*{_CONFIGURATION}{_WRAPPED}[\"'](?P<group>[\w.-]+):(?P<name>[\w.-]+)(?::(?P<version>[^\"':@]+))?"
)
_GRADLE_MAP: Final = re.compile(
    rf"^\s*{_CONFIGURATION}{_WRAPPED}group\s*[:=]\s*[\"'](?P<group>[^\"']+)[\"']\s*,"
    r"\s*name\s*[:=]\s*[\"'](?P<name>[^\"']+)[\"'](?:\s*,\s*version\s*[:=]\s*[\"'](?P<version>[^\"']+))?"
)
_GRADLE_KOTLIN: Final = re.compile(rf"^\s*{_CONFIGURATION}{_WRAPPED}kotlin\(\s*\"(?P<name>[\w-]+)\"")
_GRADLE_PLUGIN: Final = re.compile(
    r"^\s*(?:id\s*\(?\s*|apply\s+plugin:\s*)[\"'](?P<id>[\w.-]+)[\"']\s*\)?(?:\s*version\s*\(?\s*[\"']"
    r"(?P<version>[^\"']+))?|^\s*kotlin\(\s*\"(?P<kotlin>[\w.-]+)\"\s*\)(?:\s*version\s*\"(?P<kv>[^\"]+))?"
)
_JAVA: Final = re.compile(r"JavaLanguageVersion\.of\(\s*(\d+)|(?:source|target)Compatibility\s*=\D*([\d._]+)")


def gradle(text: str) -> Manifest:
    """What a build in Groovy or Kotlin says in plain words."""
    manifest = Manifest("maven", tools=["gradle"])
    for line in _lines(text, "//"):
        if (plugin := _GRADLE_PLUGIN.match(line)) is not None:
            if plugin["id"]:
                manifest.add(plugin["id"], plugin["version"], "plugin")
            else:
                manifest.add(f"org.jetbrains.kotlin.{plugin['kotlin']}", plugin["kv"], "plugin")
        elif (found := _GRADLE.match(line) or _GRADLE_MAP.match(line)) is not None:
            manifest.add(f"{found['group']}:{found['name']}", found["version"], _gradle_scope(found["for"]))
        elif (found := _GRADLE_KOTLIN.match(line)) is not None:
            name = f"org.jetbrains.kotlin:kotlin-{found['name']}"
            manifest.add(name, "", _gradle_scope(found["for"]))
        if (java := _JAVA.search(line)) is not None:
            manifest.require("java", java[1] or java[2])
    return manifest


def _gradle_scope(configuration: str) -> str:
    lower = configuration.lower()
    if "test" in lower:
        return "test"
    if lower == "classpath":
        return "plugin"
    return (
        "build"
        if lower.startswith(("kapt", "ksp")) or "compileonly" in lower or "proces" in lower
        else "runtime"
    )


# --- Ruby ---------------------------------------------------------------------------------------------

_GEM: Final = re.compile(r"^\s*gem[\s(]+[\"']([^\"']+)[\"'](?:\s*,\s*[\"']([^\"']*)[\"'])?(.*)")
_GEM_GROUP: Final = re.compile(r"^\s*group\b(.{1,200})\bdo$")
_GEM_BLOCK: Final = re.compile(
    r"^\s*(?:if|unless|case|platforms?|source|path|git|install_if)\b(?!.*\bend\b)|\bdo\s*$"
)
_IN_GROUP: Final = re.compile(r"\bgroups?(?:\s*:|:|\s*=>)\s*(\[[^\]]*\]|:\w+)")
_RUBY: Final = re.compile(r"^\s*ruby[\s(]+[\"']([^\"']+)[\"']")
_GEMSPEC: Final = re.compile(
    r"\.add_(runtime_|development_)?dependency[\s(]+[\"']([^\"']+)[\"'](?:\s*,\s*[\"']([^\"']*)[\"'])?"
)
_GEMSPEC_IS: Final = re.compile(r"^\s*\w+\.(name|version|required_ruby_version)\s*=\s*[\"']([^\"']+)[\"']")


def gemfile(text: str) -> Manifest:
    """The gems of a Gemfile, with the groups around them."""
    manifest = Manifest("gem", tools=["bundler"])
    groups: list[str] = []
    for line in _lines(text, "#"):
        if gem := _GEM.match(line):
            around = " ".join(groups[-20:]) + " ".join(_IN_GROUP.findall(gem[3]))
            manifest.add(gem[1], gem[2], _gem_scope(around))
        elif group := _GEM_GROUP.match(line):
            groups.append(group[1][:200])
        elif line.strip() == "end" and groups:
            groups.pop()
        elif _GEM_BLOCK.search(line):
            groups.append("")
        elif ruby := _RUBY.match(line):
            manifest.require("ruby", ruby[1])
    return manifest


def _gem_scope(groups: str) -> str:
    names = re.findall(r"\w+", groups)
    if not names or set(names) & {"default", "production"}:
        return "runtime"
    return "dev" if "development" in names else scope_of_group(names[0])


def gemfile_lock(text: str) -> Manifest:
    """The direct dependencies of a lock file, at the versions that it has locked."""
    manifest = Manifest("gem", tools=["bundler"])
    versions: dict[str, str] = {}
    section = ""
    for line in text.split("\n"):
        if line and not line[0].isspace():
            section = line.strip()
        elif found := re.match(r" {4}(\S+) \(([^)]*)\)$", line[:_LINE]):
            versions[found[1]] = found[2]
        elif section == "DEPENDENCIES" and (wanted := re.match(r" {2}([^\s!(]+)", line)):
            manifest.add(wanted[1], versions.get(wanted[1], ""), "locked")
        elif section == "RUBY VERSION" and line.strip():
            manifest.require("ruby", line.strip().removeprefix("ruby "))
    return manifest


def gemspec(text: str) -> Manifest:
    """What a specification of a gem says in literals."""
    manifest = Manifest("gem")
    for line in _lines(text, "#"):
        if found := _GEMSPEC.search(line):
            manifest.add(found[2], found[3], "dev" if found[1] == "development_" else "runtime")
        elif said := _GEMSPEC_IS.match(line):
            if said[1] == "name":
                manifest.say(said[2], None)
            elif said[1] == "version":
                manifest.say(None, said[2])
            else:
                manifest.require("ruby", said[2])
    return manifest


# --- images and environments --------------------------------------------------------------------------

_FROM: Final = re.compile(r"^\s*FROM\s+(?:--\S+\s+)*(\S+)(?:\s+AS\s+(\S+))?", re.IGNORECASE)
_ARG: Final = re.compile(r"^\s*ARG\s+(\w+)=[\"']?([^\s\"']*)", re.IGNORECASE)
_VARIABLE: Final = re.compile(r"\$\{?(\w+)(?::-([^}]*))?\}?")


def dockerfile(text: str) -> Manifest:
    """The images that stages begin with, without the stages of the file itself."""
    manifest = Manifest("docker", tools=["docker"])
    stages = {"scratch"}
    arguments: dict[str, str] = {}
    for line in text.split("\n"):
        line = line[:_LINE]
        if argument := _ARG.match(line):
            arguments[argument[1]] = argument[2]
        elif found := _FROM.match(line):
            image = _VARIABLE.sub(lambda one: arguments.get(one[1]) or one[2] or one[0], found[1])[:_LINE]
            if image.lower() not in stages:
                name, at, digest = image.partition("@")
                slash = name.rfind("/")
                colon = name.find(":", slash + 1)
                tag = name[colon + 1 :] if colon >= 0 else ""
                manifest.add(name[:colon] if colon >= 0 else name, tag or (digest if at else ""), "image")
            if found[2]:
                stages.add(found[2].lower())
    return manifest


_CONDA: Final = re.compile(r"(?:[\w.-]+::)?([A-Za-z0-9_][\w.-]*)\s*(.*)")


def conda(text: str) -> Manifest:
    """The lists of an environment file: conda's packages, and pip's below them (those as ``pip:NAME``)."""
    manifest = Manifest("conda", tools=["conda"])
    inside, pip = False, -1
    for line in _lines(text, "#"):
        bare = line.strip()
        column = len(line) - len(line.lstrip())
        if not bare:
            continue
        if not column and not bare.startswith("-"):
            key, _, value = bare.partition(":")
            inside, pip = key == "dependencies", -1
            if key == "name":
                manifest.say(value.strip("\"' "), None)
            continue
        if not inside or not bare.startswith("-"):
            continue
        item = bare[1:].strip().strip("\"'")
        if pip >= 0 and column <= pip:
            pip = -1
        if item == "pip:":
            pip = column
        elif found := _CONDA.fullmatch(item):
            name, spec = found[1], found[2].lstrip("=") if found[2].startswith("=") else found[2]
            if name == "python" and pip < 0:
                manifest.require("python", spec or None)
            else:
                manifest.add(f"pip:{name}" if pip >= 0 else name, spec, "runtime")
    return manifest
