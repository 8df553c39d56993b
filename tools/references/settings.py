"""docs/configuration.md: every setting, from the model in `currant.config`.

Reads the private table of the model's fields: the model itself says no more than a program needs."""

import json
from typing import Any, Final

import msgspec

from currant import config
from tools.references.meanings import MEANINGS, SECTIONS
from tools.references.words import GENERATED, table

OF_THE_MACHINE: Final = config._OF_THE_MACHINE

TOP: Final = """# Configuration

```toml
# currant.toml, in the root of a tree
[monitor]
ignore_patterns = ["*.generated.ts", "third_party/"]

[scheduler]
worker_threads = 4
```

Defaults suit most trees. What is set comes, each over the one before, from

1. `~/.config/currant/config.toml` (below `XDG_CONFIG_HOME`, if that is set);
2. `currant.toml`, or `.currant.toml`, in the root;
3. the environment: the names below. `CURRANT_MONITOR__DEBOUNCE_MS`, with two underscores behind the section, is
   the same as `CURRANT_MONITOR_DEBOUNCE_MS`;
4. `--set monitor.debounce_ms=50`, and `flags` of `currant.open`.

Anything unknown, misspelt or out of range is refused, all of it at once, with where it stands and what would be valid;
nothing is ignored. A list in the environment is separated by commas, or is a JSON array; a table is a JSON object.

A file of the tree came with the tree, perhaps from somebody else. It cannot set what is marked **yours**: that belongs into
your own file, the environment or `--set`. A `state_dir` that it names must be inside the tree.

Variables that are no settings: `CURRANT_LOG` (`debug`, `info`, `warning`, `error`: what goes on inside, on standard
error), `CURRANT_ROOT` (as `--root`).

`none` stands for a setting that is not set; TOML has no word for it: leave the key out.
"""


def variable(key: str) -> str:
    """The environment variable of a setting."""
    return f"{config.ENV_PREFIX}{key.replace('.', '_')}".upper()


def yours(key: str) -> bool:
    """Whether a file of the tree cannot set it (to anything but what switches it off)."""
    section = key.partition(".")[0]
    # `extract.secrets` only in one direction, but a user looks for the direction that is refused.
    return section in OF_THE_MACHINE | {"llm"} or key in (
        "extract.options",
        "extract.secrets",
        "extract.shared_cache",
    )


def page() -> str:
    """The whole page."""
    lines = [GENERATED, "", TOP]
    sections: dict[str, list[str]] = {}
    for key in config._FIELDS:
        sections.setdefault(key.rpartition(".")[0], []).append(key)
    for section in sorted(sections, key=lambda name: (name == "", list(sections).index(name))):
        heading = f"## {section or 'Without a section'}"
        lines += [heading, "", SECTIONS[section], ""]
        if section in OF_THE_MACHINE | {"llm"}:
            lines += ["All of them are **yours**.", ""]
        lines += table(
            ("setting", "type and range", "default", "meaning", "environment"),
            (_cells(key, section) for key in sections[section]),
        )
    lines += [
        "## Between two settings",
        "",
        "Each of these must not be larger than the one behind it: `scheduler.delay_seconds` and",
        "`scheduler.max_delay_seconds`; `monitor.debounce_ms` and `monitor.max_delay_ms`; `jobs.heartbeat_s` and",
        "`jobs.lease_s`; `jobs.backoff_base_s` and `jobs.backoff_max_s`; `serve.soft_stop_s` and `serve.hard_stop_s`.",
    ]
    return "\n".join(lines) + "\n"


def _cells(key: str, section: str) -> tuple[str, ...]:
    _, _, value = config._FIELDS[key]
    mark = ", **yours**" if yours(key) and section not in OF_THE_MACHINE | {"llm"} else ""
    accepts = config.valid_range(key).removeprefix("must be ")
    return (f"`{key}`", accepts, _default(value), MEANINGS[key] + mark, f"`{variable(key)}`")


def _default(value: Any) -> str:
    if value is msgspec.NODEFAULT:  # made anew each time: tables, which are all empty
        return "`{}`"
    if value is None:
        return "none"
    # A frozen tuple is a list in TOML; the longest default, types of file systems, needs room to break.
    if isinstance(value, tuple):
        return ", ".join(f"`{one}`" for one in value) or "`[]`"
    return f"`{json.dumps(value)}`"
