"""Manifests as they are written, what is read from them, and that no bytes and no size is too much."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import currant
from currant.extract import default_registry
from currant.extract.annotators.manifest import MAX_BYTES, ManifestAnnotator
from currant.extract.manifests import KINDS, BadManifestError, kind_of, read
from currant.extract.manifests.values import MAX_DEPENDENCIES, SCOPES
from currant.model import Record

DATA = Path(__file__).parent / "data" / "manifests"

PYPROJECT = """
[build-system]
requires = ["hatchling>=1.2"]
build-backend = "hatchling.build"
[project]
name = "Shop"
version = "1.2"
requires-python = ">=3.11"
dependencies = ["Flask>=3,<4", "SQLAlchemy[asyncio]; python_version < '4'", "tool @ https://x.example/t.whl"]
[project.optional-dependencies]
test = ["pytest"]
fast = ["uvloop"]
[dependency-groups]
lint = ["ruff", {include-group = "test"}]
[tool.pdm.dev-dependencies]
docs = ["sphinx"]
[tool.hatch.envs.test]
dependencies = ["coverage[toml]"]
[tool.uv]
dev-dependencies = ["mypy>=1"]
[tool.ruff]
[tool.pytest.ini_options]
"""
POETRY = """
[tool.poetry]
name = "old"
version = "0.1"
[tool.poetry.dependencies]
python = "^3.9"
Django = "^4.2"
psycopg = {version = "^3", optional = true}
mine = {git = "https://x.example/mine.git"}
several = [{version = "1", python = "<3.10"}, {version = "2"}]
[tool.poetry.group.test.dependencies]
pytest = "*"
[tool.poetry.dev-dependencies]
black = "23"
"""
SETUP_CFG = """
[metadata]
name = shop
version = 1.0
[options]
python_requires = >=3.8
install_requires =
    requests>=2  # why
    # none
    importlib-metadata; python_version < "3.8"
[options.extras_require]
test = pytest
s3 = boto3
[tool:pytest]
addopts = -q
[flake8]
"""
SETUP_PY = """
import setuptools, os
NEEDS = ["requests>=2"]
MORE = NEEDS + ["click"]
if os.environ.get("X"):
    raise SystemExit("executed")
setuptools.setup(
    name="shop", version=open("V").read(), python_requires=">=3.8",
    install_requires=MORE + [f"six=={os.name}"],
    extras_require=dict(test=["pytest"], s3="boto3"),
    setup_requires=["wheel"],
)
"""
REQUIREMENTS = """
-r base.txt
--no-binary :all:
Flask==3.0.0 \\
    --hash=sha256:00
requests[socks] >= 2  # comment
-e git+https://x.example/r.git#egg=Thing
./local
numpy ; python_version > "3"
pkg @ https://x.example/pkg.zip
?!
"""
PIPFILE = """
[packages]
Requests = "*"
flask = {version = "==3.0", extras = ["async"]}
[dev-packages]
pytest = ">=8"
[requires]
python_version = "3.12"
"""
CONDA = """
name: science
channels:
  - conda-forge
dependencies:
  - python=3.11
  - numpy>=1.26
  - conda-forge::scipy=1.1=py_0  # pinned
  - pip
  - pip:
      - torch==2.1
  - pandas
variables:
  - no
"""
NPM = """
{"name": "@shop/web", "version": "3.0.0", "packageManager": "pnpm@9.1.0", "engines": {"node": ">=20"},
 "dependencies": {"react": "^18.2.0", "@tanstack/query": "5", "bad": 7},
 "devDependencies": {"vitest": "^1"},
 "peerDependencies": {"vue": "3"}, "optionalDependencies": {"fsevents": "2"},
 "jest": {}, "scripts": {"test": "vitest"}}
"""
COMPOSER = """
{"name": "shop/api", "require": {"php": ">=8.1", "ext-json": "*", "symfony/console": "^6.0"},
 "require-dev": {"phpunit/phpunit": "^10"}}
"""
CARGO = """
[package]
name = "shop"
version.workspace = true
edition = "2021"
[workspace]
members = ["a"]
[workspace.package]
version = "0.3.0"
rust-version = "1.70"
[workspace.dependencies]
anyhow = "1"
[dependencies]
serde = { version = "1", features = ["derive"] }
tokio = { version = "1", optional = true }
json = { package = "serde_json", version = "1.0" }
anyhow = { workspace = true }
local = { path = "../local" }
[target.'cfg(unix)'.dependencies]
rustix = "0.38"
[dev-dependencies]
proptest = "1"
[build-dependencies]
cc = "1"
"""
GO_MOD = """module example.org/shop // the module
go 1.22
toolchain go1.22.1
require github.com/gin-gonic/gin v1.9.1
require (
\tgolang.org/x/net v0.20.0 // indirect
\t"github.com/stretchr/testify" v1.8.4
)
replace example.org/a => ../a
tool golang.org/x/tools/cmd/stringer
"""
POM = """<?xml version="1.0" encoding="UTF-8"?>
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <parent><groupId>org.springframework.boot</groupId><artifactId>spring-boot-starter-parent</artifactId>
    <version>3.2.0</version></parent>
  <groupId>example</groupId><artifactId>shop</artifactId><version>1</version>
  <properties><java.version>17</java.version><guava>33</guava></properties>
  <dependencies>
    <dependency><groupId>com.google.guava</groupId><artifactId>guava</artifactId>
      <version>${guava}</version></dependency>
    <dependency><groupId>org.junit.jupiter</groupId><artifactId>junit-jupiter</artifactId>
      <scope>test</scope></dependency>
    <dependency><groupId>${project.groupId}</groupId><artifactId>own</artifactId>
      <version>${project.version}</version></dependency>
  </dependencies>
  <build><plugins><plugin><artifactId>maven-surefire-plugin</artifactId></plugin></plugins></build>
</project>
"""
GRADLE = """
plugins {
    id("org.springframework.boot") version "3.2.0"
    kotlin("jvm") version "1.9.0"
}
apply plugin: 'java'
java { toolchain { languageVersion = JavaLanguageVersion.of(21) } }
dependencies {
    implementation("com.squareup.okhttp3:okhttp:4.12.0") // no
    // implementation("not:this:1")
    api(platform("org.junit:junit-bom:5.10.0"))
    testImplementation 'junit:junit:4.13'
    compileOnly group: 'org.projectlombok', name: 'lombok', version: '1.18'
    testImplementation(kotlin("test"))
    implementation(libs.guava)
}
"""
CATALOG = """
[versions]
kotlin = "1.9.0"
strict = { strictly = "2.0" }
[libraries]
a = "g:a:1"
b = { module = "g:b", version.ref = "kotlin" }
c = { group = "g", name = "c", version = { ref = "strict" } }
[plugins]
k = { id = "org.jetbrains.kotlin.jvm", version.ref = "kotlin" }
"""
GEMFILE = """
source "https://x.example"
ruby "3.2.0"
gem "rails", "~> 7.0"
group :development, :test do
  gem 'rspec-rails'
  if ENV["X"]
    gem "byebug"
  end
end
group(:test) do
  gem "capybara"
end
gem "puma", "~> 6", group: :production
gem "simplecov", require: false, group: :test
# gem "none"
"""
GEMFILE_LOCK = """GEM
  remote: https://x.example/
  specs:
    rack (3.0.0)
    rails (7.0.4)
      rack (>= 2)

PLATFORMS
  ruby

DEPENDENCIES
  rails (~> 7.0)
  mine!

RUBY VERSION
   ruby 3.2.0p0
"""
GEMSPEC = """
Gem::Specification.new do |spec|
  spec.name = "shop"
  spec.version = "1.0"
  spec.required_ruby_version = ">= 3.0"
  spec.add_dependency "nokogiri", "~> 1.15"
  spec.add_development_dependency("rake")
end
"""
DOCKER = """# syntax=docker/dockerfile:1
ARG V=3.12
FROM --platform=$BUILDPLATFORM python:${V}-slim AS build
RUN echo FROM nothing
FROM build AS test
FROM registry.example:5000/team/base@sha256:00
from scratch
"""
CSPROJ = """<Project Sdk="Microsoft.NET.Sdk.Web">
  <PropertyGroup><TargetFramework>net8.0</TargetFramework><AssemblyName>Shop</AssemblyName></PropertyGroup>
  <ItemGroup>
    <PackageReference Include="Serilog" Version="3.1.1" />
    <PackageReference Include="StyleCop.Analyzers"><Version>1.1</Version><PrivateAssets>all</PrivateAssets>
    </PackageReference>
    <FrameworkReference Include="Microsoft.AspNetCore.App" />
  </ItemGroup>
</Project>
"""
PROPS = '<Project><ItemGroup><PackageVersion Include="xunit" Version="2.6" /></ItemGroup></Project>'
CONFIG = '<packages><package id="NUnit" version="3" developmentDependency="true" /></packages>'

GOLDEN: list[tuple[str, str, tuple[str | None, str | None], dict[str, str], list[str], str]] = [
    (
        *("pyproject.toml", PYPROJECT, ("Shop", "1.2"), {"python": ">=3.11"}),
        ["hatch", "hatchling", "pdm", "pytest", "ruff", "uv"],
        "build:hatchling>=1.2 runtime:flask<4,>=3 runtime:sqlalchemy runtime:tool=https://x.example/t.whl"
        " test:pytest optional:uvloop dev:ruff dev:sphinx dev:mypy>=1 test:coverage",
    ),
    (
        *("pyproject.toml", POETRY, ("old", "0.1"), {"python": "^3.9"}, ["poetry"]),
        "runtime:django^4.2 optional:psycopg^3 runtime:mine=https://x.example/mine.git runtime:several=1,_2"
        " dev:black=23 test:pytest",
    ),
    (
        *("setup.cfg", SETUP_CFG, ("shop", "1.0"), {"python": ">=3.8"}, ["flake8", "pytest"]),
        "runtime:requests>=2 runtime:importlib-metadata test:pytest optional:boto3",
    ),
    (
        *("setup.py", SETUP_PY, ("shop", None), {"python": ">=3.8"}, []),
        "runtime:requests>=2 runtime:click build:wheel test:pytest optional:boto3",
    ),
    (
        *("requirements.txt", REQUIREMENTS, (None, None), {}, []),
        "runtime:flask==3.0.0 runtime:requests>=2 runtime:Thing=git+https://x.example/r.git#egg=Thing"
        " runtime:numpy runtime:pkg=https://x.example/pkg.zip",
    ),
    (
        *("Pipfile", PIPFILE, (None, None), {"python": "3.12"}, ["pipenv"]),
        "runtime:requests runtime:flask==3.0 dev:pytest>=8",
    ),
    (
        *("environment.yml", CONDA, ("science", None), {"python": "3.11"}, ["conda"]),
        "runtime:numpy>=1.26 runtime:scipy=1.1=py_0 runtime:pip runtime:pip:torch=2.1 runtime:pandas",
    ),
    (
        *("package.json", NPM, ("@shop/web", "3.0.0"), {"node": ">=20"}, ["jest", "pnpm"]),
        "runtime:react^18.2.0 runtime:@tanstack/query=5 runtime:bad"
        " optional:fsevents=2 peer:vue=3 dev:vitest^1",
    ),
    (
        *("composer.json", COMPOSER, ("shop/api", None), {"php": ">=8.1", "ext-json": "*"}, []),
        "runtime:symfony/console^6.0 dev:phpunit/phpunit^10",
    ),
    (
        *("Cargo.toml", CARGO, ("shop", None), {"rust": "1.70", "rust-edition": "2021"}, []),
        "runtime:serde=1 optional:tokio=1 runtime:serde_json=1.0 runtime:anyhow=workspace"
        " runtime:local=../local dev:proptest=1 build:cc=1 runtime:rustix=0.38 managed:anyhow=1",
    ),
    (
        *("go.mod", GO_MOD, ("example.org/shop", None), {"go": "1.22", "toolchain": "go1.22.1"}),
        ["golang.org/x/tools/cmd/stringer"],
        "runtime:github.com/gin-gonic/gin=v1.9.1 indirect:golang.org/x/net=v0.20.0"
        " runtime:github.com/stretchr/testify=v1.8.4",
    ),
    (
        *("pom.xml", POM, ("example:shop", "1"), {"java": "17"}, ["maven"]),
        "managed:org.springframework.boot:spring-boot-starter-parent=3.2.0 runtime:com.google.guava:guava=33"
        " test:org.junit.jupiter:junit-jupiter runtime:example:own=1"
        " plugin:org.apache.maven.plugins:maven-surefire-plugin",
    ),
    (
        *("build.gradle.kts", GRADLE, (None, None), {"java": "21"}, ["gradle"]),
        "plugin:org.springframework.boot=3.2.0 plugin:org.jetbrains.kotlin.jvm=1.9.0 plugin:java"
        " runtime:com.squareup.okhttp3:okhttp=4.12.0 runtime:org.junit:junit-bom=5.10.0 test:junit:junit=4.13"
        " build:org.projectlombok:lombok=1.18 test:org.jetbrains.kotlin:kotlin-test",
    ),
    (
        *("gradle/libs.versions.toml", CATALOG, (None, None), {}, ["gradle"]),
        "managed:g:a=1 managed:g:b=1.9.0 managed:g:c=2.0 plugin:org.jetbrains.kotlin.jvm=1.9.0",
    ),
    (
        *("Gemfile", GEMFILE, (None, None), {"ruby": "3.2.0"}, ["bundler"]),
        "runtime:rails~>_7.0 dev:rspec-rails dev:byebug test:capybara runtime:puma~>_6 test:simplecov",
    ),
    (
        *("Gemfile.lock", GEMFILE_LOCK, (None, None), {"ruby": "3.2.0p0"}, ["bundler"]),
        "locked:rails=7.0.4 locked:mine",
    ),
    (
        *("shop.gemspec", GEMSPEC, ("shop", "1.0"), {"ruby": ">= 3.0"}, []),
        "runtime:nokogiri~>_1.15 dev:rake",
    ),
    (
        *("Dockerfile", DOCKER, (None, None), {}, ["docker"]),
        "image:python=3.12-slim image:registry.example:5000/team/base=sha256:00",
    ),
    (
        *("Shop.csproj", CSPROJ, ("Shop", None), {"dotnet": "net8.0"}, ["msbuild"]),
        "build:Microsoft.NET.Sdk.Web runtime:Serilog=3.1.1 dev:StyleCop.Analyzers=1.1"
        " runtime:Microsoft.AspNetCore.App",
    ),
    (*("Directory.Packages.props", PROPS, (None, None), {}, ["msbuild"]), "managed:xunit=2.6"),
    (*("packages.config", CONFIG, (None, None), {}, []), "dev:NUnit=3"),
    (
        "Cargo.toml",
        (DATA / "memchr-Cargo.toml").read_text(),
        ("memchr", "2.8.3"),
        {"rust": "1.61", "rust-edition": "2021"},
        [],
        "optional:log=0.4.20 optional:rustc-std-workspace-core=1.0.0 dev:quickcheck=1.0.3",
    ),
    (
        *(
            "package.json",
            (DATA / "util-deprecate-package.json").read_text(),
            ("util-deprecate", "1.0.2"),
            {},
            [],
        ),
        "",
    ),
]


def written(dependency: dict[str, str]) -> str:
    """``scope:name`` and the version, with ``=`` between where it does not begin with a sign of its own."""
    spec = dependency["spec"].replace(" ", "_")
    sign = "" if not spec or spec[0] in "<>=^~!" else "="
    return f"{dependency['scope']}:{dependency['name']}{sign}{spec}"


def fact_of(name: str, text: str | bytes) -> dict[str, Any]:
    source = text.encode() if isinstance(text, str) else text
    kind = kind_of(name.rpartition("/")[2])
    assert kind is not None
    return read(kind, source).as_fact(kind)


@pytest.mark.parametrize(("path", "text", "who", "requires", "tools", "dependencies"), GOLDEN)
def test_what_a_manifest_says(
    path: str,
    text: str,
    who: tuple[str | None, str | None],
    requires: dict[str, str],
    tools: list[str],
    dependencies: str,
) -> None:
    fact = fact_of(path, text)
    assert [written(one) for one in fact["dependencies"]] == dependencies.split()
    assert (fact["name"], fact["version"]) == who
    assert (fact["requires"], fact["tools"]) == (requires, tools)
    assert {one["scope"] for one in fact["dependencies"]} <= set(SCOPES)


def test_every_kind_of_manifest_has_a_golden_one_and_a_reader() -> None:
    seen = {kind_of(path.rpartition("/")[2]) for path, *_ in GOLDEN}
    assert KINDS - seen == {"requirements-dev", "requirements-test"}
    assert fact_of("requirements-dev.txt", "a\n")["dependencies"][0]["scope"] == "dev"
    assert fact_of("test_requirements.txt", "a\n")["dependencies"][0]["scope"] == "test"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        *(("PYPROJECT.toml", "pyproject"), ("Dockerfile.dev", "docker"), ("x.dockerfile", "docker")),
        *(("requirements.in", "requirements"), ("requirements-prod.txt", "requirements")),
        *(("dev-requirements.txt", "requirements-dev"), ("requirements_test.txt", "requirements-test")),
        *(("my_requirements_doc.md", None), ("requirementsx.txt", None), ("package-lock.json", None)),
        *((".csproj", None), ("App.CSPROJ", "msbuild"), ("x.py", None), ("", None)),
    ],
)
def test_which_names_are_manifests(name: str, kind: str | None) -> None:
    assert kind_of(name) == kind


BAD = [
    *(
        ("package.json", "{"),
        ("package.json", "[]"),
        ("package.json", "[" * 100_000),
        ("pyproject.toml", "a = "),
    ),
    *(("pyproject.toml", "a" + ".a" * 100_000 + " = 1"), ("Cargo.toml", "a = " + "[" * 50_000)),
    *(
        ("setup.py", "def"),
        ("setup.py", "(" * 10_000),
        ("setup.py", "a." * 60_000 + "a"),
        ("setup.py", "#" * 300_000),
    ),
    *(("setup.cfg", "x"), ("pom.xml", "<a/>"), ("pom.xml", "<project>"), ("pom.xml", "")),
    (
        "pom.xml",
        '<!DOCTYPE p [<!ENTITY a "x"><!ENTITY b "&a;&a;">]><project><artifactId>&b;</artifactId></project>',
    ),
    ("x.csproj", '<!DOCTYPE p SYSTEM "file:///etc/passwd"><Project/>'),
    ("packages.config", '<?xml version="1.0" encoding="utf-16"?><packages/>'),
]


@pytest.mark.parametrize(("name", "text"), BAD)
def test_a_bad_manifest_is_a_note_on_its_record(name: str, text: str) -> None:
    with pytest.raises(BadManifestError):
        fact_of(name, text)
    record = ManifestAnnotator().annotate(name, None, text.encode(), Record(None, [], ["before"]))
    assert record.facts == {}
    assert record.notes[0] == "before"
    assert record.notes[1].startswith("manifest: ")
    assert len(record.notes) == 2


def test_what_is_no_requirement_is_a_note_and_the_rest_is_read() -> None:
    record = ManifestAnnotator().annotate(
        "requirements.txt", None, REQUIREMENTS.encode(), Record(None, [], [])
    )
    assert record.notes == ["manifest: line 11 is not a requirement"]


def test_a_manifest_beyond_a_bound_says_so() -> None:
    many = "\n".join(f"p{number}" for number in range(MAX_DEPENDENCIES + 5))
    record = ManifestAnnotator().annotate("requirements.txt", None, many.encode(), Record(None, [], []))
    assert len(record.facts["manifest"]["dependencies"]) == MAX_DEPENDENCIES
    assert record.notes == [f"manifest: only the first {MAX_DEPENDENCIES} dependencies are listed"]
    record = ManifestAnnotator().annotate("package.json", None, b" " * (MAX_BYTES + 1), Record(None, [], []))
    assert record.notes == ["manifest: not read, it has more than 512 KiB"]


def test_names_that_stand_for_lists_of_names_do_not_multiply() -> None:
    lists = [f"n{n} = [" + f"n{n - 1}," * 300 + "]" for n in range(1, 20)]
    text = "n0 = ['a']\n" + "\n".join(lists) + "\nsetup(name='x', install_requires=n19)\n"
    assert fact_of("setup.py", text)["name"] == "x"


@given(st.sampled_from(sorted(KINDS)), st.binary(max_size=300))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_a_manifest_or_a_bad_one(kind: str, source: bytes) -> None:
    try:
        fact = read(kind, source).as_fact(kind)
    except BadManifestError:
        return
    assert fact["kind"] == kind


@given(st.sampled_from(GOLDEN), st.data())
@settings(max_examples=150, deadline=None)
def test_any_mutation_of_a_manifest_can_be_stored(golden: tuple[Any, ...], data: st.DataObject) -> None:
    import msgspec

    path, text = golden[0], golden[1]
    at = data.draw(st.integers(0, len(text)))
    new = text[:at] + data.draw(
        st.text(max_size=8) | st.sampled_from(["\\ud800", "\ufeff", "'", '"', "${", "\\"])
    )
    source = (new + text[at + data.draw(st.integers(0, 20)) :]).encode("utf-8", "surrogatepass")
    name = path.rpartition("/")[2]
    msgspec.json.encode(ManifestAnnotator().annotate(name, None, source, Record(None, [], [])))


def test_the_same_bytes_are_a_manifest_under_one_name_and_none_under_another(tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text(NPM)
    (tmp_path / "other.json").write_text(NPM)
    with currant.open(tmp_path, live=False, sync_ms=60_000) as index:
        manifest, other = index.show("package.json"), index.show("other.json")
        assert manifest is not None
        assert manifest.record is not None
        assert manifest.record.facts["manifest"]["name"] == "@shop/web"
        assert manifest.extractor is not None
        assert manifest.extractor.endswith("+manifest/1:npm")
        assert other is not None
        assert other.record is not None
        assert "manifest" not in other.record.facts
        (tmp_path / "other.json").rename(tmp_path / "composer.json")
        (tmp_path / "package.json").rename(tmp_path / "none.json")
        composer, none = index.show("composer.json"), index.show("none.json")
        assert composer is not None
        assert composer.record is not None
        assert composer.record.facts["manifest"]["ecosystem"] == "composer"
        assert none is not None
        assert none.record is not None
        assert none.record.facts == {}


def test_every_identity_that_a_manifest_has_is_one_in_use() -> None:
    registry = default_registry(8)
    names = [path.rpartition("/")[2] for path, *_ in GOLDEN]
    assert {registry.choose(name, b"", 1).identity for name in names} <= registry.identities()
