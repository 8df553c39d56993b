"""How much of the task lists in documents is done: by file, by directory, by project, and in all.

Every box counts one, whatever is below it. A project is a directory with a manifest; a task belongs to the
nearest project above its document, or to the root.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any, Final, Protocol


class Facts(Protocol):
    """The one read that is needed; `query.Query` has it."""

    def facts(self, name: str, under: str = "") -> list[tuple[str, Any]]:
        """(path, value) of every file with this fact."""


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many; `percent` with one digit behind the point, 0 to 100."""

    path: str
    done: int
    total: int
    percent: float


@dataclass(frozen=True, slots=True)
class DocumentTask:
    """One task: `line` from 1, `depth` the list items around it, `headings` from the outermost inwards."""

    path: str
    text: str
    done: bool
    line: int
    depth: int
    headings: list[str]


@dataclass(frozen=True, slots=True)
class TaskProgress:
    """The state of all task lists below `path` (``""``: the root).

    `files`, `directories` (each with everything below it, from the top) and `projects` are in the order of
    their paths. `tasks` are those that were asked for. `outdated`: so many files of the root have a record
    of an older Currant, which may not have looked for tasks, and are read again in the background.
    """

    path: str
    done: int
    total: int
    percent: float
    files: list[Share] = field(default_factory=list)
    directories: list[Share] = field(default_factory=list)
    projects: list[Share] = field(default_factory=list)
    tasks: list[DocumentTask] = field(default_factory=list)
    outdated: int = 0


def task_progress(query: Facts, path: str = "", *, tasks: str = "none") -> TaskProgress:
    """The state of the task lists in one file or below one directory. `tasks`: which of them to list,
    ``none``, ``open`` or ``all``. Raises StoreError."""
    documents = [(document, fact) for document, fact in query.facts("tasks", path) if _is_fact(fact)]
    projects = {_parent(manifest) for manifest, _ in query.facts("manifest")} if documents else set()
    by_directory: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])
    by_project: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])
    files: list[Share] = []
    listed: list[DocumentTask] = []
    for document, fact in documents:
        done, total = int(fact["done"]), int(fact["total"])
        files.append(_share(document, done, total))
        project = ""
        for directory in _above(document):
            _add(by_directory[directory], done, total)
            if directory in projects:
                project = directory
        _add(by_project[project], done, total)
        if tasks != "none":
            listed += (
                DocumentTask(document, **item) for item in fact["items"] if tasks == "all" or not item["done"]
            )
    done, total = sum(one.done for one in files), sum(one.total for one in files)
    inside = [name for name in sorted(by_directory) if not path or f"{name}/".startswith(f"{path}/")]
    return TaskProgress(
        path=path,
        done=done,
        total=total,
        percent=_percent(done, total),
        files=files,
        directories=[_share(name, *by_directory[name]) for name in inside],
        projects=[_share(name, *by_project[name]) for name in sorted(by_project)],
        tasks=listed,
    )


_FACT: Final = {"text": str, "done": bool, "line": int, "depth": int, "headings": list}


def _is_fact(fact: Any) -> bool:
    """Whether a fact has the form that ours has: an extractor of another package may use the name."""
    if not isinstance(fact, dict) or not all(isinstance(fact.get(key), int) for key in ("done", "total")):
        return False
    items = fact.get("items")
    return isinstance(items, list) and all(
        isinstance(item, dict)
        and item.keys() == _FACT.keys()
        and all(isinstance(item[key], kind) for key, kind in _FACT.items())
        for item in items
    )


def _parent(path: str) -> str:
    return path.rpartition("/")[0]


def _above(path: str) -> list[str]:
    """The directories of a file, the root (``""``) first."""
    parts = path.split("/")[:-1]
    return ["", *("/".join(parts[: count + 1]) for count in range(len(parts)))]


def _add(counts: list[int], done: int, total: int) -> None:
    counts[0] += done
    counts[1] += total


def _share(path: str, done: int, total: int) -> Share:
    return Share(path, done, total, _percent(done, total))


def _percent(done: int, total: int) -> float:
    """Rounded down to a tenth, so that 100 means all of them."""
    return done * 1000 // total / 10 if total else 0.0
