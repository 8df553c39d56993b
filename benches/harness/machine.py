"""What the figures were taken on, without what would identify the machine."""

import importlib.metadata
import os
import platform
import re
import sqlite3
import sys
from pathlib import Path
from typing import Any

from harness.programs import RIVALS, version

MODULES = ("watchfiles", "watchdog", "tree-sitter", "tree-sitter-c", "apsw", "msgspec")


def line_of(path: str, key: str) -> str:
    try:
        lines = Path(path).read_text().splitlines()
    except OSError:
        return "unknown"
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith(key)), "unknown")


def module(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def brief(said: str) -> str:
    """The number in what a program says of its version."""
    found = re.search(r"\d+(\.\d+)+", said)
    return found[0] if found else said


def file_system(path: Path) -> str:
    """The type of the mount that `path` lies on."""
    mounts = [line.split()[1:3] for line in Path("/proc/self/mounts").read_text().splitlines()]
    fits = [(len(place), kind) for place, kind in mounts if path.resolve().is_relative_to(place)]
    return max(fits)[1] if fits else "unknown"


def describe(scratch: Path) -> dict[str, Any]:
    """Processor, memory, kernel, file system of the scratch directory, versions, load at the start."""
    return {
        "processor": line_of("/proc/cpuinfo", "model name"),
        "processors": len(os.sched_getaffinity(0)),
        "memory_mb": int(line_of("/proc/meminfo", "MemTotal").split()[0]) // 1024,
        "kernel": platform.release(),
        "file_system": file_system(scratch),
        "python": platform.python_version(),
        "implementation": sys.implementation.name,
        "sqlite_of_python": sqlite3.sqlite_version,
        "load_at_start": round(os.getloadavg()[0], 2),
        "versions": {
            **{name: brief(version(name)) for name in RIVALS if name != "readtags"},
            **{name: module(name) for name in MODULES},
            "currant": module("currant"),
        },
    }
