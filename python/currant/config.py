"""Owns the configuration: its keys, defaults, ranges, and where values come from.

Rising precedence: defaults, the user's file, the root's file, the environment, flags. Nothing wrong is
ever ignored: unknown keys, misspelt variables and values out of range are all reported, together, each
with its source and what would have been valid.

The root's file came with the tree, perhaps from somebody else. It may not have its reader's secrets
extracted, nor state written outside of the tree, nor contents sent to a model, and it is read only if it is a
small regular file.
"""

import errno
import os
import re
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, Struct

from currant.errors import ConfigError, ConfigProblem

STATE_DIR_NAME: Final = ".currant"
ENV_PREFIX: Final = "CURRANT_"
# Variables of ours that are not settings. Anything else with our prefix is taken for a misspelt setting.
OTHER_VARIABLES: Final = frozenset({"CURRANT_LOG", "CURRANT_ROOT", "CURRANT_TESTING", "CURRANT_FAIL_POINTS"})
OTHER_PREFIXES: Final = ("CURRANT_TEST_", "CURRANT_BENCH_")

NETWORK_FILE_SYSTEMS: Final = (
    *("nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "glusterfs", "lustre", "gpfs", "ocfs2"),
    *("beegfs", "virtiofs", "vboxsf", "vmhgfs", "drvfs", "prl_fs", "acfs", "moosefs", "orangefs", "coda"),
    *("fuse", "fuse.*"),
)
"""Types of file systems on which other machines make changes that this kernel does not tell of. A ``*`` at
the end stands for any ending; ``fuseblk``, a local disk, is none of them."""


OWN_EXTRACTORS: Final = frozenset(
    {"plain", "large", "unhashed", "secret", "outline", "header", "tasks", "links", "manifest"}
)
"""Names in records that are Currant's own: no plug-in has them, and no setting switches them off."""

IN_HAND: Final = 2_000
"""How many changes may be with the workers and the writer, besides those that wait for a worker. With fewer
the workers would have nothing to do while the writer commits what there is."""


class SchedulerSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """The workers, and the delays of the expensive tier. Seconds are wall seconds."""

    enabled: bool = True
    delay_seconds: Annotated[float, Meta(ge=1, le=60)] = 10
    max_delay_seconds: Annotated[float, Meta(ge=30, le=600)] = 120
    worker_threads: Annotated[int, Meta(ge=1, le=8)] = 2
    max_queue_size: Annotated[int, Meta(ge=100, le=10_000)] = 1000
    batch_size: Annotated[int, Meta(ge=1, le=100)] = 20


class MonitorSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """What is watched, how, and how long a file must be quiet before it is read."""

    debounce_ms: Annotated[int, Meta(ge=0, le=10_000)] = 100
    max_delay_ms: Annotated[int, Meta(ge=1, le=600_000)] = 2000
    ignore_patterns: tuple[str, ...] = ()
    source: Literal["auto", "inotify", "notify", "poll"] = "auto"
    poll_interval_ms: Annotated[int, Meta(ge=100, le=3_600_000)] = 2000
    nested_repositories: bool = True
    max_watches: Annotated[int, Meta(ge=1, le=10_000_000)] | None = None
    poll_file_systems: tuple[str, ...] = NETWORK_FILE_SYSTEMS
    audit_interval_s: Annotated[int, Meta(ge=0, le=86_400)] = 60
    audit_files: Annotated[int, Meta(ge=20, le=100_000)] = 200


NameGlob = Annotated[str, Meta(pattern=r"\A[^/\x00]+\Z")]
"""A glob over the last component of a path."""


SectionTitle = Annotated[str, Meta(pattern=r"\A[A-Za-z][A-Za-z0-9 /_-]{1,60}\Z")]
HeaderField = Literal[
    "intent",
    "design_principles",
    "constraints",
    "reference_documentation",
    "dependencies",
    "change_history",
    "ignore",
]
"""What a section of a file's header can fill; ``ignore``: nothing."""


ParsedLanguage = Literal[
    "all",
    "csharp",
    "go",
    "java",
    "javascript",
    "kotlin",
    "php",
    "python",
    "ruby",
    "rust",
    "swift",
    "tsx",
    "typescript",
]
"""A language that has a grammar, or all of them."""


class ExtractSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Limits on what is parsed, and what is not: files that look like secrets (`currant.extract.secrets`).

    `shared_cache` is a file in which indexes share results (`currant.store.shared`), by an absolute path.
    `exact_parsers` are read by their grammars, which is slow, and not by scanners.
    `disabled_extractors` and `options` are about plug-ins (`currant.extract.plugins`), by their names."""

    max_file_mb: Annotated[int, Meta(ge=1, le=1024)] = 8
    secrets: Literal["list", "extract"] = "list"
    secret_patterns: tuple[NameGlob, ...] = ()
    shared_cache: str | None = None
    shared_cache_mb: Annotated[int, Meta(ge=16, le=65_536)] = 512
    exact_parsers: tuple[ParsedLanguage, ...] = ()
    disabled_extractors: tuple[str, ...] = ()
    options: dict[str, dict[str, Any]] = {}
    header_template: dict[SectionTitle, HeaderField] = {}


class StoreSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """The index file. `keep_unused_days`: for how long results are kept that no file has any more, so that
    going back to an earlier state costs nothing."""

    keep_unused_days: Annotated[int, Meta(ge=0, le=3650)] = 30


class CacheSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """The in-memory metadata cache."""

    max_mb: Annotated[int, Meta(ge=1, le=4096)] = 32


Dollars = Annotated[float, Meta(ge=0, le=100_000)]


class LlmSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """The expensive tier: a language model fills what syntax leaves empty. Off unless the user says
    otherwise; a file of the tree can only switch it off.

    `base_url` None is the provider's own address (there is none for ``openai``). Prices are dollars for a
    million tokens; None takes them from `currant.llm.prices`. `api_key_env` names the variable with the key.
    Globs cover whole paths from the root, and ``*`` passes over ``/``.
    """

    provider: Literal["off", "bedrock", "openai"] = "off"
    model: str = "amazon.nova-lite-v1:0"
    base_url: str | None = None
    region: str = "us-east-1"
    api_key_env: str = "OPENAI_API_KEY"
    include: tuple[str, ...] = ("*",)
    exclude: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    max_file_kb: Annotated[int, Meta(ge=1, le=1024)] = 64
    max_output_tokens: Annotated[int, Meta(ge=100, le=32_000)] = 2000
    concurrency: Annotated[int, Meta(ge=1, le=32)] = 4
    timeout_seconds: Annotated[float, Meta(ge=1, le=600)] = 60
    max_attempts: Annotated[int, Meta(ge=1, le=20)] = 5
    usd_per_day: Dollars = 1.0
    usd_total: Dollars = 10.0
    price_input_per_million: Dollars | None = None
    price_output_per_million: Dollars | None = None


class DriftSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """What `drift` leaves out (globs over paths and targets), and how many days younger than its document, or
    than its header's history, a file must be to be told of."""

    ignore: tuple[str, ...] = ()
    grace_days: Annotated[float, Meta(ge=0, le=3_650)] = 7


Interval = Annotated[int, Meta(ge=0, le=31_536_000)]
"""Seconds from one run to the next; 0 switches it off."""


class MaintenanceSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Upkeep of a running service (`currant.maintenance`). Intervals are seconds; 0: only when asked for.

    `optimize_budget_s`: the most work that one optimization of one project does. Below
    `memory_available_percent` caches are given back. `log_max_total_mb` and `log_max_age_days` bound the
    directory of the logs.
    """

    enabled: bool = True
    cleanup_interval: Interval = 300
    optimization_interval: Interval = 3600
    health_check_interval: Interval = 60
    eviction_interval: Interval = 60
    metrics_interval: Interval = 30
    max_concurrent_tasks: Annotated[int, Meta(ge=1, le=32)] = 5
    optimize_budget_s: Annotated[float, Meta(ge=0.1, le=600)] = 2.0
    memory_available_percent: Annotated[float, Meta(ge=0, le=90)] = 10.0
    metrics_kept: Annotated[int, Meta(ge=1, le=10_000)] = 120
    log_max_age_days: Annotated[float, Meta(ge=0, le=3_650)] = 14
    log_max_total_mb: Annotated[int, Meta(ge=1, le=100_000)] = 200


class PeriodicSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """The schedules (`currant.periodic`): which run, and how often. Intervals are seconds; 0 or a flag that
    is false switches one off.

    `timezone` is a name as in ``Europe/Berlin``: that of the times that are shown. A run that is later than
    `misfire_grace_s` is left out; None: made up for, once. `tasks`: the user's own, by the names of their
    entry points, each with an interval, 0 to switch it off.
    """

    enabled: bool = True
    pool_size: Annotated[int, Meta(ge=1, le=32)] = 5
    coalesce: bool = True
    misfire_grace_s: Annotated[int, Meta(ge=1, le=31_536_000)] | None = None
    timezone: str = "UTC"
    sync_projects: bool = True
    sync_projects_interval: Interval = 900
    cache_refresh: bool = True
    cache_refresh_interval: Interval = 21_600
    cleanup_logs: bool = True
    cleanup_logs_interval: Interval = 86_400
    audit: bool = True
    audit_interval: Interval = 21_600
    retention: bool = True
    retention_interval: Interval = 3_600
    tasks: dict[str, Interval] = {}


class JobsSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """The jobs of the service (`currant.jobs`): workers, leases, retries, limits, and what is kept.

    `workers` 0: as many as there are processors, at most four. A worker that has not renewed its lease for
    `lease_s` counts as lost. `stall_s`: a job without a time limit fails after so long without a sign of
    progress. `aging_s`: after so long in the queue its age counts for more than its priority."""

    workers: Annotated[int, Meta(ge=0, le=64)] = 0
    lease_s: Annotated[float, Meta(ge=1, le=3600)] = 60
    heartbeat_s: Annotated[float, Meta(ge=0.1, le=1200)] = 15
    poll_ms: Annotated[int, Meta(ge=10, le=10_000)] = 250
    max_attempts: Annotated[int, Meta(ge=1, le=100)] = 3
    extraction_attempts: Annotated[int, Meta(ge=1, le=100)] = 5
    maintenance_attempts: Annotated[int, Meta(ge=1, le=100)] = 1
    backoff_base_s: Annotated[float, Meta(ge=0.01, le=3600)] = 2
    backoff_max_s: Annotated[float, Meta(ge=1, le=86_400)] = 300
    maintenance_timeout_s: Annotated[float, Meta(ge=1, le=86_400)] = 300
    stall_s: Annotated[float, Meta(ge=1, le=86_400)] = 600
    abandon_s: Annotated[float, Meta(ge=1, le=3600)] = 30
    aging_s: Annotated[float, Meta(ge=1, le=86_400)] = 600
    refresh_limit: Annotated[int, Meta(ge=1, le=10_000)] = 5
    refresh_window_s: Annotated[float, Meta(ge=1, le=86_400)] = 300
    create_project_limit: Annotated[int, Meta(ge=1, le=10_000)] = 10
    create_project_window_s: Annotated[float, Meta(ge=1, le=86_400)] = 3600
    keep_completed_h: Annotated[float, Meta(ge=0, le=87_600)] = 24
    keep_cancelled_h: Annotated[float, Meta(ge=0, le=87_600)] = 24
    keep_failed_h: Annotated[float, Meta(ge=0, le=87_600)] = 168
    keep_history_days: Annotated[float, Meta(ge=0, le=3650)] = 30


class ServeSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """`currant serve`: where its state is kept and where it listens (127.0.0.1 alone; port 0: any free one).

    `soft_stop_s` after the first signal running jobs are asked to end, `hard_stop_s` after it they are handed
    back. `clone_depth`: commits of history a clone has (0: all). `git_stall_s`: how long git may say nothing.

    Of the REST interface: `allowed_hosts`, names by which it may be asked besides the loopback's; the largest
    body; reads and writes a second, twice as many in a burst; event streams at the same time. Of the log:
    its level, and at most `log_files` files of `log_max_mb`. `otel`: the address of an OpenTelemetry
    collector (OTLP over HTTP), to which spans are sent; nowhere by default.
    """

    home: str | None = None
    port: Annotated[int, Meta(ge=0, le=65_535)] = 7411
    soft_stop_s: Annotated[float, Meta(ge=0, le=600)] = 10
    hard_stop_s: Annotated[float, Meta(ge=0, le=600)] = 25
    clone_depth: Annotated[int, Meta(ge=0, le=1_000_000)] = 1
    git_stall_s: Annotated[float, Meta(ge=10, le=86_400)] = 600
    allowed_hosts: tuple[str, ...] = ()
    max_body_kb: Annotated[int, Meta(ge=1, le=65_536)] = 1024
    reads_per_second: Annotated[float, Meta(ge=1, le=1_000_000)] = 1000
    writes_per_second: Annotated[float, Meta(ge=1, le=1_000_000)] = 20
    max_streams: Annotated[int, Meta(ge=1, le=10_000)] = 256
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_max_mb: Annotated[float, Meta(ge=0.01, le=10_000)] = 10
    log_files: Annotated[int, Meta(ge=1, le=1_000)] = 5
    otel: str | None = None


class BudgetSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """What the service may use (`currant.budget`): memory in MiB, CPU in per cent of one, watches. None: what
    the control group leaves, or as much as there is. `busy_percent`: the share of the machine's CPUs that
    others may use before the service steps back; 0: it never does. Over a limit for `raise_after_s` the next
    step is taken, well below all of them for `lower_after_s` it is taken back."""

    enabled: bool = True
    memory_mb: Annotated[int, Meta(ge=32, le=1_048_576)] | None = None
    cpu_percent: Annotated[float, Meta(ge=1, le=100_000)] | None = None
    watches: Annotated[int, Meta(ge=1, le=10_000_000)] | None = None
    busy_percent: Annotated[float, Meta(ge=0, le=100)] = 80
    interval_s: Annotated[float, Meta(ge=0.1, le=3_600)] = 5
    raise_after_s: Annotated[float, Meta(ge=0, le=3_600)] = 15
    lower_after_s: Annotated[float, Meta(ge=0, le=86_400)] = 60


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """All settings. `state_dir` None means ``.currant`` below the root."""

    scheduler: SchedulerSettings = SchedulerSettings()
    monitor: MonitorSettings = MonitorSettings()
    extract: ExtractSettings = ExtractSettings()
    store: StoreSettings = StoreSettings()
    cache: CacheSettings = CacheSettings()
    drift: DriftSettings = DriftSettings()
    llm: LlmSettings = LlmSettings()
    maintenance: MaintenanceSettings = MaintenanceSettings()
    periodic: PeriodicSettings = PeriodicSettings()
    jobs: JobsSettings = JobsSettings()
    serve: ServeSettings = ServeSettings()
    budget: BudgetSettings = BudgetSettings()
    state_dir: str | None = None

    def state_path(self, root: Path) -> Path:
        """The state directory of `root`; a relative `state_dir` counts from the root."""
        return root / (self.state_dir or STATE_DIR_NAME)


def load_settings(
    root: Path, *, flags: Mapping[str, Any] | None = None, environ: Mapping[str, str] = os.environ
) -> Settings:
    """The settings in force for `root`.

    `flags` maps ``"section.key"`` to a value (None: not given). Raises ConfigError listing every problem
    of every source at once.
    """
    return _load(root, flags or {}, environ)


def load_service_settings(
    *, flags: Mapping[str, Any] | None = None, environ: Mapping[str, str] = os.environ
) -> Settings:
    """The settings of `currant serve`, which has no root: the user's file, the environment, flags.

    Raises ConfigError as `load_settings` does."""
    return _load(None, flags or {}, environ)


def _load(root: Path | None, flags: Mapping[str, Any], environ: Mapping[str, str]) -> Settings:
    problems: list[ConfigProblem] = []
    sources = [_read_file(path, root, problems) for path in _files(root, environ, problems)]
    sources.append(_read_environment(environ, problems))
    sources.append(_read_flags(flags, problems))
    given: dict[str, tuple[Any, str]] = {}  # key -> (value, source)
    for found in sources:  # later sources overwrite, but hide no mistake of earlier ones
        for key, (value, source) in found.items():
            problem = _check(key, value, source)
            if problem is None:
                given[key] = (value, source)
            else:
                problems.append(problem)
    problems += _check_pairs(given)
    if problems:
        raise ConfigError(sorted(problems, key=lambda problem: problem.key))
    return _build({key: value for key, (value, _) in given.items()})


# --- the keys, derived from the structs above ---------------------------------------------------------


def _fields() -> dict[str, tuple[msgspec.inspect.Type, Any, Any]]:
    """``"section.key"`` -> (described type, type, default), for every setting."""
    out: dict[str, tuple[msgspec.inspect.Type, Any, Any]] = {}
    for section in msgspec.structs.fields(Settings):
        if not (isinstance(section.type, type) and issubclass(section.type, Struct)):
            out[section.name] = (msgspec.inspect.type_info(section.type), section.type, section.default)
            continue
        for item in msgspec.structs.fields(section.type):
            out[f"{section.name}.{item.name}"] = (
                msgspec.inspect.type_info(item.type),
                item.type,
                item.default,
            )
    return out


_FIELDS: Final = _fields()
_ABOUT_PLUG_INS: Final = ("extract.disabled_extractors", "extract.options")


def valid_range(key: str) -> str:
    """What `key` accepts, in words. Raises KeyError for an unknown key."""
    return _describe(_FIELDS[key][0])


def _describe(kind: msgspec.inspect.Type) -> str:
    match kind:
        case msgspec.inspect.UnionType(types=types):
            return " or ".join(
                _describe(one) for one in types if not isinstance(one, msgspec.inspect.NoneType)
            )
        case msgspec.inspect.BoolType():
            return "must be true or false"
        case msgspec.inspect.IntType(ge=low, le=high):
            return f"must be a whole number from {low} to {high}"
        case msgspec.inspect.FloatType(ge=low, le=high):
            return f"must be a number from {low:g} to {high:g}"
        case msgspec.inspect.LiteralType(values=values):
            return "must be one of " + ", ".join(map(str, values))
        case msgspec.inspect.VarTupleType(item_type=msgspec.inspect.StrType(pattern=str())):
            return "must be a list of globs over file names, without a slash"
        case msgspec.inspect.VarTupleType(item_type=msgspec.inspect.LiteralType(values=values)):
            return "must be a list, each one of " + ", ".join(map(str, values))
        case msgspec.inspect.DictType(value_type=msgspec.inspect.LiteralType(values=values)):
            return "must be a table of section titles, each with one of " + ", ".join(map(str, values))
        case msgspec.inspect.VarTupleType():
            return "must be a list of strings"
        case msgspec.inspect.DictType(value_type=msgspec.inspect.IntType(ge=low, le=high)):
            return f"must be a table of names, each with a whole number from {low} to {high}"
        case msgspec.inspect.DictType():
            return "must be a table of tables, one for each name"
        case _:
            return "must be a string"


def _check(key: str, value: Any, source: str) -> ConfigProblem | None:
    """None when `value` is valid for `key`."""
    try:
        msgspec.convert(value, _FIELDS[key][1])
        if key in _ABOUT_PLUG_INS and (own := sorted(OWN_EXTRACTORS.intersection(value))):
            kind = f"{valid_range(key)}; {', '.join(own)}: part of Currant, and has no switch or options"
            return ConfigProblem(key, value, source, kind)
        # Not NaN, which no comparison with a bound refuses; and no path has a NUL.
        if value == value and not (key == "state_dir" and "\0" in str(value)):
            return None
    except (msgspec.ValidationError, UnicodeEncodeError, RecursionError):
        pass
    return ConfigProblem(key, value, source, valid_range(key))


def _check_pairs(valid: Mapping[str, tuple[Any, str]]) -> Iterator[ConfigProblem]:
    """Rules between two keys, each checked only when both values are valid by themselves."""

    def effective(key: str) -> tuple[Any, str]:
        return valid.get(key, (_FIELDS[key][2], "default"))

    for low_key, high_key in (
        ("scheduler.delay_seconds", "scheduler.max_delay_seconds"),
        ("monitor.debounce_ms", "monitor.max_delay_ms"),
        ("jobs.heartbeat_s", "jobs.lease_s"),
        ("jobs.backoff_base_s", "jobs.backoff_max_s"),
        ("serve.soft_stop_s", "serve.hard_stop_s"),
    ):
        (low, low_source), (high, high_source) = effective(low_key), effective(high_key)
        if low > high:
            # Blame the one that was set; the maximum when both were.
            key, value, source = (
                (high_key, high, high_source) if high_source != "default" else (low_key, low, low_source)
            )
            rule = (
                f"must be at least {low_key} = {low}"
                if key == high_key
                else f"must be at most {high_key} = {high}"
            )
            yield ConfigProblem(key, value, source, rule)


def _build(values: Mapping[str, Any]) -> Settings:
    tree: dict[str, Any] = {}
    for key, value in values.items():
        section, _, name = key.rpartition(".")
        (tree.setdefault(section, {}) if section else tree)[name] = value
    return msgspec.convert(tree, Settings)


def _unknown(key: str, value: object, source: str, known: Mapping[str, object]) -> ConfigProblem:
    import difflib

    close = difflib.get_close_matches(key, list(known), n=1, cutoff=0.6)
    hint = f"did you mean {close[0]}?" if close else "known: " + ", ".join(known)
    return ConfigProblem(key, value, source, f"no such setting; {hint}")


# --- sources ------------------------------------------------------------------------------------------


def _files(root: Path | None, environ: Mapping[str, str], problems: list[ConfigProblem]) -> Iterator[Path]:
    """The configuration files that exist, lowest precedence first."""
    base = environ.get("XDG_CONFIG_HOME") or ""
    home = environ.get("HOME") or ""
    # A relative XDG path is invalid by its specification and must be ignored.
    config_home = Path(base) if os.path.isabs(base) else Path(home) / ".config" if home else None
    if config_home is not None and (user := config_home / "currant" / "config.toml").is_file():
        yield user
    if root is None:
        return
    # Any kind of thing with that name: what cannot be read must not pass for "no settings".
    here = [path for name in ("currant.toml", ".currant.toml") if os.path.lexists(path := root / name)]
    if len(here) == 2:
        problems.append(
            ConfigProblem("currant.toml", str(root), "root", "also .currant.toml there: keep one of them")
        )
    yield from here[:1]


_OF_THE_MACHINE: Final = frozenset({"budget", "jobs", "maintenance", "periodic", "serve"})
"""Sections that are about the user's service, whatever tree it is asked from."""

_MAX_FILE: Final = 1 << 20
# Dots outside quotes on one line. The reader of TOML takes time with the square of the parts of a dotted
# key: a file of the tree could keep every command busy for an hour.
_MAX_DOTS: Final = 50
_QUOTED: Final = re.compile(r"""\"[^"]*"|'[^']*'""")


class _TooDeepError(Exception):
    """A key of more parts than any setting has."""


def _read_file(path: Path, root: Path | None, problems: list[ConfigProblem]) -> dict[str, tuple[Any, str]]:
    of_the_tree = root is not None and path.parent == root
    try:
        text = _text(path, links=not of_the_tree)
        import tomllib

        if any(_QUOTED.sub("", line).count(".") > _MAX_DOTS for line in text.split("\n")):
            raise _TooDeepError
        tree = tomllib.loads(text)
    except ValueError as error:  # TOML, UTF-8, or a number of more digits than Python reads
        problems.append(ConfigProblem(path.name, "", str(path), f"must be TOML: {error}"))
        return {}
    except (RecursionError, _TooDeepError):
        problems.append(ConfigProblem(path.name, "", str(path), "must be TOML: nested too deeply"))
        return {}
    except OSError as error:
        problems.append(ConfigProblem(path.name, "", str(path), f"must be readable: {error.strerror}"))
        return {}
    flat: dict[str, Any] = {}
    for section, content in tree.items():
        if isinstance(content, dict):
            flat |= {f"{section}.{name}": value for name, value in content.items()}
            if not content and not any(key.startswith(f"{section}.") for key in _FIELDS):
                flat[section] = content
        else:
            flat[section] = content
    known = _known(flat, str(path), problems)
    return _of_the_tree(known, root, problems) if of_the_tree and root is not None else known


def _text(path: Path, *, links: bool) -> str:
    """What a configuration file says. Raises OSError, UnicodeDecodeError."""
    # A pipe must not block; what a link in the tree leads to would be quoted in the message of a problem.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
    try:
        fd = os.open(path, flags | (0 if links else getattr(os, "O_NOFOLLOW", 0)))
    except OSError as error:
        if error.errno == errno.ELOOP and not links:
            raise OSError(errno.ELOOP, "a configuration file in the tree must not be a link") from error
        raise
    with open(fd, "rb") as file:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise OSError(errno.EINVAL, "not a regular file")
        content = file.read(_MAX_FILE + 1)
    if len(content) > _MAX_FILE:
        raise OSError(errno.EFBIG, f"larger than {_MAX_FILE >> 20} MiB")
    return content.decode("utf-8")


def _of_the_tree(
    known: dict[str, tuple[Any, str]], root: Path, problems: list[ConfigProblem]
) -> dict[str, tuple[Any, str]]:
    """What a file of the tree may say; problems for the rest."""

    def refuse(key: str, why: str) -> None:
        value, source = known.pop(key)
        problems.append(ConfigProblem(key, value, source, why))

    if known.get("extract.secrets", ("",))[0] == "extract":
        refuse(
            "extract.secrets", "a file of the tree cannot ask for this: use your own file or the environment"
        )
    if known.get("extract.options", ({},))[0]:
        refuse(
            "extract.options",
            "a file of the tree cannot set up a plug-in: use your own file or the environment",
        )
    for key in [key for key in known if key.startswith("llm.")]:
        if (key, known[key][0]) != ("llm.provider", "off"):
            # Where contents are sent, which of them and for how much money is nobody else's to say.
            refuse(key, "a file of the tree can only switch this off (llm.provider): use your own file")
    for key in [key for key in known if key.partition(".")[0] in _OF_THE_MACHINE]:
        refuse(key, "a file of the tree cannot set up the user's service: use your own file instead")
    if "extract.shared_cache" in known:
        refuse(
            "extract.shared_cache",
            "a file of the tree cannot name a place outside: use your own file instead",
        )
    place = known.get("state_dir", (None,))[0]
    if isinstance(place, str) and "\0" not in place:
        # Through any link that is on the way now; the service looks at the directory itself again.
        inside = os.path.realpath(root)
        if not os.path.realpath(root / place).startswith(inside.rstrip(os.sep) + os.sep):
            refuse("state_dir", "a file of the tree can only name a directory inside the tree")
    return known


def _read_flags(flags: Mapping[str, Any], problems: list[ConfigProblem]) -> dict[str, tuple[Any, str]]:
    given = {key: value for key, value in flags.items() if value is not None}
    if isinstance(given.get("state_dir"), os.PathLike):
        given["state_dir"] = os.fspath(given["state_dir"])
    return _known(given, "flag", problems)


def _known(flat: Mapping[str, Any], source: str, problems: list[ConfigProblem]) -> dict[str, tuple[Any, str]]:
    problems += [_unknown(key, value, source, _FIELDS) for key, value in flat.items() if key not in _FIELDS]
    return {key: (value, source) for key, value in flat.items() if key in _FIELDS}


def _read_environment(
    environ: Mapping[str, str], problems: list[ConfigProblem]
) -> dict[str, tuple[Any, str]]:
    names: dict[str, str] = {}  # variable -> key
    for key in _FIELDS:
        section, _, name = key.rpartition(".")
        if section:
            names[f"{ENV_PREFIX}{section}__{name}".upper()] = key
        names[f"{ENV_PREFIX}{section}_{name}".upper() if section else f"{ENV_PREFIX}{name}".upper()] = key
    out: dict[str, tuple[Any, str]] = {}
    for variable in sorted(environ):  # sorted: "__" comes after "_S", so the explicit form wins
        if not variable.startswith(ENV_PREFIX) or variable in OTHER_VARIABLES:
            continue
        if variable.startswith(OTHER_PREFIXES):
            continue
        text, source = environ[variable], f"environment {variable}"
        if variable in names:
            key = names[variable]
            if key in out and out[key][0] != _parse(key, text):
                problems.append(
                    ConfigProblem(key, text, source, f"contradicts {out[key][1]}: keep one of them")
                )
            out[key] = (_parse(key, text), source)
        else:
            problems.append(_unknown(variable, text, source, names))
    return out


def _parse(key: str, text: str) -> Any:
    """The value an environment variable spells; the text itself when it cannot be read, to be refused."""
    kind = _FIELDS[key][0]
    try:
        if isinstance(kind, msgspec.inspect.VarTupleType):
            # A JSON array when exact; otherwise the comma, which gitignore patterns have no use for.
            if text.lstrip().startswith("["):
                return msgspec.json.decode(text)
            return [part.strip() for part in text.split(",") if part.strip()]
        if isinstance(kind, msgspec.inspect.DictType):
            return msgspec.json.decode(text)
        return msgspec.convert(text, _FIELDS[key][1], strict=False)
    except (msgspec.ValidationError, msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return text
