"""Progress of plans and skills of a tree: over a plain double, the command line, and a running watcher."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import currant
from conftest import Tree
from currant.api import Index
from currant.cli import cli, run
from currant.errors import UsageError
from currant.extract import OutlineExtractor, Registry
from currant.projects import known as table
from currant.projects import skills, task_progress
from currant.projects.known import Known
from currant.service import Service
from pipeline_double import outline_lines
from watcher import Watcher

PLAN = "# Phase 5\n- [x] schema\n- [ ] manager\n  - [x] states\n"
PYPROJECT = (
    '[project]\nname = "shop"\nrequires-python = ">=3.11"\ndependencies = ["django>=5"]\n[tool.ruff]\n'
)
NPM = '{"name": "web", "dependencies": {"react": "18"}, "devDependencies": {"vitest": "1"}}'


class Facts:
    """The reads of an index, from dicts."""

    def __init__(
        self, tasks: dict[str, tuple[int, int]], manifests: dict[str, dict[str, Any]] | None = None
    ) -> None:
        self._tasks = tasks
        self._manifests = manifests or {}

    def facts(self, name: str, under: str = "") -> list[tuple[str, Any]]:
        if name == "manifest":
            return sorted(self._manifests.items())
        return [
            (path, {"done": done, "total": total, "items": []})
            for path, (done, total) in sorted(self._tasks.items())
            if not under or path == under or path.startswith(under + "/")
        ]

    def files(self) -> list[bytes]:
        return [*map(str.encode, self._manifests), b"a/Makefile", b"b/makefile", b"tests/conftest.py"]

    def languages(self) -> list[tuple[str, int, int, int]]:
        return [("python", 2, 7, 100), ("go", 1, 3, 220), ("", 1, 0, 5)]


def manifest(ecosystem: str, *dependencies: tuple[str, str], **more: Any) -> dict[str, Any]:
    return {
        **{"kind": "k", "ecosystem": ecosystem, "name": None, "version": None, "requires": {}, "tools": []},
        "dependencies": [{"name": name, "spec": "1", "scope": scope} for name, scope in dependencies],
        **more,
    }


def shares(found: list[Any]) -> dict[str, tuple[int, int]]:
    return {one.path: (one.done, one.total) for one in found}


TREE = Facts(
    {"a/x/p.md": (1, 2), "a/q.md": (3, 3), "b.md": (0, 1), "ab/r.md": (1, 1)},
    {"a/package.json": manifest("npm"), "a/x/Cargo.toml": manifest("cargo"), "c/go.mod": manifest("golang")},
)


def test_progress_by_file_directory_and_nearest_project() -> None:
    told = task_progress(TREE)
    assert (told.done, told.total, told.percent) == (5, 7, 71.4)
    assert shares(told.files) == {"a/q.md": (3, 3), "a/x/p.md": (1, 2), "ab/r.md": (1, 1), "b.md": (0, 1)}
    assert shares(told.directories) == {"": (5, 7), "a": (4, 5), "a/x": (1, 2), "ab": (1, 1)}
    assert shares(told.projects) == {"": (1, 2), "a": (3, 3), "a/x": (1, 2)}


def test_progress_below_a_directory_has_no_other_directory() -> None:
    told = task_progress(TREE, "a")
    assert (told.done, told.total) == (4, 5)
    assert shares(told.directories) == {"a": (4, 5), "a/x": (1, 2)}
    assert shares(task_progress(TREE, "a/q.md").files) == {"a/q.md": (3, 3)}
    assert task_progress(TREE, "nowhere").total == 0


def test_a_hundred_percent_means_all_of_them() -> None:
    assert task_progress(Facts({"p.md": (9_999, 10_000)})).percent == 99.9
    assert task_progress(Facts({"p.md": (10_000, 10_000)})).percent == 100.0


@pytest.mark.parametrize(
    "fact",
    [
        *(None, 1, [], {}, {"done": 1}, {"done": 1, "total": 2, "items": [{"text": "a"}]}),
        {"done": "x", "total": 2, "items": []},
        {"kind": "k", "ecosystem": "npm", "requires": {"a": 1}, "tools": [], "dependencies": []},
        {"kind": "k", "ecosystem": "npm", "requires": {}, "tools": [], "dependencies": [{"name": "a"}]},
    ],
)
def test_a_fact_that_somebody_else_made_under_our_name_is_left_out(fact: Any) -> None:
    class Foreign(Facts):
        def facts(self, name: str, under: str = "") -> list[tuple[str, Any]]:
            return [("a", fact), *super().facts(name, under)]

    reads = Foreign({"p.md": (1, 2)}, {"package.json": manifest("npm", ("react", "runtime"))})
    assert task_progress(reads, tasks="all").total == 2
    assert [one.path for one in skills(reads).packages] == ["package.json"]


def test_skills_say_what_is_declared_where_and_what_for() -> None:
    told = skills(
        Facts(
            {},
            {
                "a/pyproject.toml": manifest(
                    "pypi",
                    *(("django", "runtime"), ("pytest", "test"), ("nothing-known", "runtime")),
                    requires={"python": ">=3.11"},
                    tools=["ruff", "unknown"],
                    name="a",
                ),
                "b/go.mod": manifest(
                    "golang", ("github.com/labstack/echo/v4", "runtime"), ("gorm.io/gorm", "indirect")
                ),
                "c/pom.xml": manifest("maven", ("org.springframework.boot:starter-web", "runtime")),
                "d/requirements.txt": manifest("pypi", ("django", "runtime")),
            },
        )
    )
    assert [(one.name, one.kind, one.places) for one in told.frameworks] == [
        *(("Django", "web", 2), ("Echo", "web", 1), ("Spring Boot", "web", 1)),
    ]
    assert [one.path for one in told.frameworks[0].declared] == ["a/pyproject.toml", "d/requirements.txt"]
    assert [(one.name, one.kind, one.files) for one in told.tools] == [
        ("Go modules", "build", ["b/go.mod"]),
        ("Make", "build", ["a/Makefile", "b/makefile"]),
        ("pytest", "test", ["a/pyproject.toml", "tests/conftest.py"]),
        ("Ruff", "lint", ["a/pyproject.toml"]),
    ]
    assert [(one.ecosystem, one.name, one.places) for one in told.dependencies] == [
        ("golang", "github.com/labstack/echo/v4", 1),
        ("golang", "gorm.io/gorm", 1),
        ("maven", "org.springframework.boot:starter-web", 1),
        ("pypi", "django", 2),
        ("pypi", "nothing-known", 1),
        ("pypi", "pytest", 1),
    ]
    assert [(one.name, one.spec, one.path) for one in told.requires] == [
        ("python", ">=3.11", "a/pyproject.toml")
    ]
    assert [one.name for one in told.packages] == ["a", None, None, None]
    assert [(one.language, one.files_percent, one.bytes_percent) for one in told.languages] == [
        *(("python", 66.7, 31.2), ("go", 33.3, 68.8), ("", None, None)),
    ]


# --- the table ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ecosystem", "name", "title"),
    [
        *(("pypi", "django", "Django"), ("pypi", "djang", None), ("none", "django", None)),
        *(("npm", "@tanstack/react-query", "TanStack"), ("npm", "react-dom", None)),
        *(("golang", "github.com/gofiber/fiber/v2", "Fiber"), ("golang", "github.com/go-chi/chi", "chi")),
        *(("maven", "androidx.compose.ui:ui", "Jetpack Compose"), ("maven", "androidx.core:core", "Android")),
    ],
)
def test_a_dependency_stands_for_what_the_table_says(ecosystem: str, name: str, title: str | None) -> None:
    found = table.of_dependency(ecosystem, name)
    assert (found and found.title) == title


def test_the_table_is_sound() -> None:
    import tomllib
    from importlib import resources

    said = tomllib.loads(resources.files("currant.projects").joinpath("known.toml").read_text())
    assert set(said) == {"dependencies", "tools", "files"}
    kinds: dict[str, set[str]] = {}
    for entries in (*said["dependencies"].values(), said["tools"], said["files"]):
        for name, value in entries.items():
            title, kind = value
            assert name
            assert title
            assert kind == kind.lower()
            kinds.setdefault(title, set()).add(kind)
    # One thing is of one kind, wherever it is named.
    assert {title: of for title, of in kinds.items() if len(of) > 1} == {}
    assert all(name == name.lower() for name in said["files"])
    assert table.of_tool("pytest") == table.of_file("PYTEST.ini") == Known("pytest", "test")


# --- the whole way ------------------------------------------------------------------------------------


@pytest.fixture
def project(tree: Tree) -> Path:
    tree.write(
        {
            "docs/plan.md": PLAN,
            "web/package.json": NPM,
            "web/TODO.md": "- [x] a\n",
            "pyproject.toml": PYPROJECT,
        },
        **{"bad/package.json": "{", "src/a.py": "def f():\n    pass\n"},
    )
    return tree.root


def test_an_index_answers_for_the_whole_tree(project: Path) -> None:
    with currant.open(project, live=False, sync_ms=60_000) as index:
        told = index.task_progress(tasks="open")
        assert shares(told.projects) == {"": (2, 3), "web": (1, 1)}
        (task,) = told.tasks
        assert (task.path, task.line, task.text, task.headings) == ("docs/plan.md", 3, "manager", ["Phase 5"])
        assert len(index.task_progress("docs", tasks="all").tasks) == 3
        with pytest.raises(UsageError, match="none, open or all"):
            index.task_progress(tasks="some")
        made = index.skills()
        assert [one.name for one in made.frameworks] == ["Django", "React"]
        assert {one.name for one in made.tools} == {"Ruff", "Vitest"}
        python = next(one for one in made.languages if one.language == "python")
        assert (python.files, python.definitions, python.bytes) == (1, 1, 18)
        bad = index.show("bad/package.json")
        assert bad is not None
        assert bad.state == "ok"
        assert bad.record is not None
        assert bad.record.notes[0].startswith("manifest: not JSON")


def test_answers_say_how_many_files_an_older_version_has_read(project: Path) -> None:
    old = Registry([OutlineExtractor(outline_lines, [("python", "0")])], max_file_mb=8)
    racy = True
    while racy:  # read within the resolution of its times: the next start would read it again anyway
        with Service(project, live=False, registry=old) as service:
            assert service.sync(60).fresh
            racy = any(row[3] == -1 for row in service.store.tree_rows())
    with currant.open(project, live=False, sync_ms=60_000) as index:
        told = index.task_progress()
        assert told.total == 0
        assert told.outdated == index.skills().outdated > 0
        while index.ask("upgrade", {"count": 2}).result["handed_over"]:
            index.sync(60)
        assert (index.task_progress().total, index.task_progress().outdated) == (4, 0)


def ask(project: Path, *arguments: str) -> tuple[int, str]:
    runner = CliRunner()
    result = runner.invoke(
        cli, [*arguments, "--root", str(project)], standalone_mode=False, catch_exceptions=False
    )
    return result.return_value or 0, result.stdout


def test_the_command_line_shows_progress_and_skills(project: Path) -> None:
    assert run(["index", str(project)]) == 0
    status, text = ask(project, "progress")
    assert status == 0
    assert " 75.0 %     3 of 4     all" in text
    assert "100.0 %     1 of 1     web\n" in text
    status, text = ask(project, "progress", "docs", "--open")
    assert text == "docs/plan.md:3  [ ] manager  (Phase 5)\n"
    assert ask(project, "progress", str(project))[0] == 0
    status, text = ask(project, "progress", "src")
    assert (status, text) == (1, "")
    status, text = ask(project, "skills")
    assert status == 0
    assert "  Django (web)  pyproject.toml\n" in text
    assert "  python >=3.11  pyproject.toml\n" in text
    assert "  npm  react 18  runtime  web/package.json\n" in ask(project, "skills", "--dependencies")[1]
    told = json.loads(ask(project, "skills", "--json")[1])
    assert told["fresh"]
    assert told["skills"]["frameworks"][1]["declared"] == [
        {"path": "web/package.json", "name": "react", "spec": "18", "scope": "runtime"}
    ]


def test_a_box_that_is_ticked_under_a_watcher_is_counted_after_the_next_question(project: Path) -> None:
    plan = project / "docs" / "plan.md"
    with Watcher(project).ready(), asking(project) as index:
        assert index.task_progress().done == 3
        plan.write_text(PLAN.replace("- [ ] manager", "- [x] manager"))
        told = index.task_progress()
        assert index.last.fresh
        assert (told.done, told.total, told.percent) == (4, 4, 100.0)
        (project / "web" / "package.json").write_text(NPM.replace("react", "vue"))
        assert [one.name for one in index.skills().frameworks] == ["Django", "Vue"]
        (project / "web").rename(project / "front")
        told = index.task_progress()
        assert shares(told.projects) == {"": (3, 3), "front": (1, 1)}
        plan.unlink()
        assert index.task_progress().total == 1


def asking(project: Path) -> Index:
    """Asks the watcher."""
    return currant.open(project, create=False, sync_ms=60_000)
