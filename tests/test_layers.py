"""Who may import whom, as data, and the test that reads it.

Imports run one way, from the faces down to the values; a cycle, a shortcut or a new module shows up
here before it has users. An import inside a function counts like any other: it is a dependency that
somebody wanted to be late, not one that is absent.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent
PACKAGE = PROJECT / "python" / "currant"

# Plain values and what they need: everybody below may use these.
VALUES = {
    **{"errors": set[str](), "model": set[str](), "clock": set[str](), "jsontext": set[str]()},
    "packed": {"model", "_core"},
    "config": {"errors"},
    "failpoint": {"errors"},
}

# Module or package -> what it may import besides VALUES. Each line may name only lines above it.
ALLOWED: dict[str, set[str]] = {
    "statedir": set(),
    "store": {"statedir", "_core"},
    "cache": set(),
    "ranking": {"store"},
    "finding": {"store", "ranking"},
    "query": {"store", "cache", "ranking", "finding", "_core"},
    "record": set(),
    "extract": {"_core", "record"},
    "changes": {"_core"},
    "offloop": set(),
    "watching": {"_core", "offloop"},
    "status": set(),
    "writer": {"store", "changes", "status"},
    "idle": set(),
    "reading": {"changes", "extract", "status", "_core"},
    "lookahead": {"extract", "status", "reading"},
    "processing": {"changes", "extract", "status", "reading", "lookahead", "writer"},
    "workers": {"changes", "status", "processing", "writer"},
    # The documentation graph: reads, like `query`, but over all files.
    "graph": {"store", "query", "extract"},
    "llm": {"store", "query", "extract", "graph", "reading", "_core"},
    "lock": set(),
    "bell": set(),
    "recovery": {"bell"},
    "owner": set(),
    "report": set(),
    "verify": {"query", "_core"},
    "audit": {"query", "changes", "verify", "_core"},
    "upgrade": {"changes"},
    "collection": {"store"},
    "outset": {"statedir", "changes", "lock", "_core"},
    "parts": {
        *("store", "query", "extract", "changes", "status", "reading", "lookahead", "processing", "audit"),
        "upgrade",
    },
    "service": {
        *("store", "cache", "query", "extract", "changes", "status"),
        *("writer", "workers", "outset", "report", "recovery", "audit", "upgrade", "collection", "idle"),
        *("llm", "parts"),
    },
    "component": {"service"},
    # The status of a service that is not there: a few of its parts, and not itself.
    "unowned": {"statedir", "store", "cache", "extract", "status", "lock", "report", "audit", "llm"},
    # The service's own file: it needs the store's connections and nothing of an index.
    "jobs": {"store", "bell"},
    "projects": set(),
    "ipc": {"service", "query", "record", "graph", "projects", "owner"},
    "plan": {"query", "_core"},
    # Examines the file itself, and asks the owner of the root when there is one.
    "doctor": {"store", "query", "ipc", "plan", "owner", "_core"},
    "api": {
        *("service", "graph", "ipc", "query", "record", "projects", "plan", "verify", "owner", "_core"),
        *("offloop", "outset"),
    },
    # The service: upkeep of the indexes that one process owns.
    "maintenance": {"store", "service"},
    # A clock that puts jobs into the queue.
    "periodic": {"statedir", "lock", "jobs"},
    "budget": {"maintenance"},
    # The composition root of `currant serve`.
    "hub": {
        "statedir",
        "bell",
        "lock",
        "owner",
        "plan",
        "service",
        "api",
        "jobs",
        "maintenance",
        "periodic",
        "budget",
    },
    # HTTP in front of a hub; the shapes of its answers are those of the parts that make them.
    "rest": {"api", "graph", "hub", "ipc", "jobs", "maintenance", "periodic", "projects", "record"},
    # Tools for agents over an index, or over what has several of them.
    "mcp": {"api", "ipc"},
    # A user of the index like any other; its watcher is a process of its own.
    "soak": {"api", "ipc"},
    # Shows states and languages, and reaches an owner without paying for the API's imports.
    "cli": {
        *("api", "ipc", "service", "extract", "llm", "plan", "verify", "doctor", "owner", "mcp"),
        *("jobs", "hub", "maintenance", "rest", "periodic", "unowned"),
    },
}

# The package itself is the public face: it names what `api` defines.
FACES = {"__init__": {"api", "watching", "_core", *VALUES}, "__main__": {"cli"}}

# Libraries that have one home, so that what they guard has one owner.
HOMES = {
    # One SQLite library per file, one package that opens it; `query` needs its types, `doctor` its version.
    "apsw": {"store", "finding", "query", "doctor", "jobs"},
    "sqlite3": set[str](),  # a second copy of SQLite in the process drops the first one's locks
    "apscheduler": {"periodic"},
    "sqlalchemy": {"periodic"},
    "psutil": {"maintenance", "budget"},
    "click": {"cli"},
    "rich": {"cli"},
    "mcp": {"mcp"},  # the SDK takes longer to import than all of Currant
    "orjson": {"jsontext"},
    # The service alone pays for these.
    "fastapi": {"rest"},
    "uvicorn": {"rest"},
    "structlog": {"rest"},
    "prometheus_client": {"rest"},
    "opentelemetry": {"rest"},
    # What leaves the machine leaves it there, and only when it was switched on.
    "boto3": {"llm"},
    "urllib3": {"llm"},
    "xxhash": {"workers", "reading", "verify"},
}


def modules() -> Iterator[tuple[str, Path]]:
    """Every source of the package with the line of the table it belongs to."""
    for path in sorted(PACKAGE.rglob("*.py")):
        first = path.relative_to(PACKAGE).parts[0]
        yield first.removesuffix(".py"), path


def imports(path: Path) -> Iterator[tuple[str, int]]:
    """Dotted names that a source imports, absolute, with their lines."""
    package = ["currant", *path.relative_to(PACKAGE).parent.parts]
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            full = ".".join([*base, *([node.module] if node.module else [])])
            if full == "currant":  # `from currant import plan` names the module last
                yield from ((f"currant.{alias.name}", node.lineno) for alias in node.names)
            else:
                yield full, node.lineno


def test_the_table_runs_one_way() -> None:
    above = {"_core", *VALUES}
    for module, allowed in ALLOWED.items():
        assert allowed <= above, f"{module} may import {allowed - above}, which stand below it"
        above.add(module)


def test_every_module_has_its_line() -> None:
    known = {*VALUES, *ALLOWED, *FACES}
    assert {name for name, _ in modules()} - known == set()


def test_no_import_leaves_the_table() -> None:
    wrong = []
    for module, path in modules():
        may = {**VALUES, **FACES}.get(module, ALLOWED.get(module, set()) | set(VALUES)) | {module}
        for name, line in imports(path):
            parts = name.split(".")
            if parts[0] != "currant" or len(parts) == 1:
                continue
            target = parts[1]
            # `from currant import __version__` and the like: a name of the package, not a module.
            if target.startswith("__") or target in may:
                continue
            wrong.append(f"{path.relative_to(PROJECT)}:{line}: {module} may not import {target}")
    assert wrong == []


def test_no_module_takes_the_place_of_a_name_in_its_package() -> None:
    """Importing `currant.x.y` binds `y` in `currant.x`, over the function that the package defines there.
    What a package imports from such a module comes after it, and stays."""
    taken = []
    for path in PACKAGE.rglob("__init__.py"):
        below = {one.stem for one in path.parent.glob("*.py")}
        below |= {one.parent.name for one in path.parent.glob("*/__init__.py")}
        for node in ast.parse(path.read_text()).body:
            names: set[str] = set()
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                names = {node.name}
            elif isinstance(node, ast.Assign | ast.AnnAssign):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                names = {target.id for target in targets if isinstance(target, ast.Name)}
            taken += [f"{path.relative_to(PROJECT)}: {name}" for name in sorted(names & below)]
    assert taken == []


@pytest.mark.parametrize("library", HOMES)
def test_a_library_with_a_home_stays_there(library: str) -> None:
    used = {
        module for module, path in modules() for name, _ in imports(path) if name.split(".")[0] == library
    }
    assert used - HOMES[library] == set()


def test_only_the_store_opens_a_database() -> None:
    opens = {
        module
        for module, path in modules()
        if re.search(r"\bConnection\(|\bsqlite3\.connect\(", path.read_text())
    }
    assert opens <= {"store"}


def test_only_one_rust_file_knows_python() -> None:
    sources = PROJECT / "rust" / "src"
    knows = {path for path in sources.rglob("*.rs") if re.search(r"\bpyo3(::|\b.*prelude)", path.read_text())}
    assert knows <= {sources / "python.rs", *(sources / "python").glob("*.rs")}


def test_only_clocks_read_the_time() -> None:
    """Ruff and clippy forbid it too, but a suppression there is one comment away."""
    reads = {
        path.relative_to(PROJECT).as_posix()
        for folder, pattern in (("python", "*.py"), ("rust/src", "*.rs"))
        for path in (PROJECT / folder).rglob(pattern)
        if re.search(r"\btime\.(time|monotonic|sleep)\(|\b(Instant|SystemTime)::now\(\)", path.read_text())
    }
    assert reads - {"python/currant/clock.py", "rust/src/clock.rs"} == set()


def test_contributing_shows_this_table() -> None:
    """The table in CONTRIBUTING.md is for people; it must not become another one."""
    rows = re.findall(r"^\| `(\w+)` \| ([^|]*) \|", (PROJECT / "CONTRIBUTING.md").read_text(), re.M)
    shown = {module: set(re.findall(r"`(\w+)`", allowed)) for module, allowed in rows}
    assert shown == ALLOWED
