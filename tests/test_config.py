"""Settings: every range, every source, precedence, and all problems at once."""

import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from currant.config import Settings, load_settings, valid_range
from currant.errors import ConfigError

RANGES: list[tuple[str, Any, float, float]] = [
    ("scheduler.delay_seconds", 10, 1, 60),
    ("scheduler.max_delay_seconds", 120, 30, 600),
    ("scheduler.worker_threads", 2, 1, 8),
    ("scheduler.max_queue_size", 1000, 100, 10_000),
    ("scheduler.batch_size", 20, 1, 100),
    ("monitor.debounce_ms", 100, 0, 10_000),
    ("monitor.max_delay_ms", 2000, 1, 600_000),
    ("monitor.poll_interval_ms", 2000, 100, 3_600_000),
    ("monitor.max_watches", None, 1, 10_000_000),
    ("monitor.audit_interval_s", 60, 0, 86_400),
    ("monitor.audit_files", 200, 20, 100_000),
    ("extract.max_file_mb", 8, 1, 1024),
    ("extract.shared_cache_mb", 512, 16, 65_536),
    ("store.keep_unused_days", 30, 0, 3650),
    ("cache.max_mb", 32, 1, 4096),
    ("drift.grace_days", 7, 0, 3650),
    ("llm.max_file_kb", 64, 1, 1024),
    ("llm.max_output_tokens", 2000, 100, 32_000),
    ("llm.concurrency", 4, 1, 32),
    ("llm.timeout_seconds", 60, 1, 600),
    ("llm.max_attempts", 5, 1, 20),
    ("llm.usd_per_day", 1.0, 0, 100_000),
    ("llm.usd_total", 10.0, 0, 100_000),
    ("llm.price_input_per_million", None, 0, 100_000),
    ("llm.price_output_per_million", None, 0, 100_000),
    ("maintenance.cleanup_interval", 300, 0, 31_536_000),
    ("maintenance.optimization_interval", 3600, 0, 31_536_000),
    ("maintenance.health_check_interval", 60, 0, 31_536_000),
    ("maintenance.eviction_interval", 60, 0, 31_536_000),
    ("maintenance.metrics_interval", 30, 0, 31_536_000),
    ("maintenance.max_concurrent_tasks", 5, 1, 32),
    ("maintenance.optimize_budget_s", 2.0, 0.1, 600),
    ("maintenance.memory_available_percent", 10.0, 0, 90),
    ("maintenance.metrics_kept", 120, 1, 10_000),
    ("maintenance.log_max_age_days", 14, 0, 3_650),
    ("maintenance.log_max_total_mb", 200, 1, 100_000),
    ("periodic.pool_size", 5, 1, 32),
    ("periodic.misfire_grace_s", None, 1, 31_536_000),
    ("periodic.sync_projects_interval", 900, 0, 31_536_000),
    ("periodic.cache_refresh_interval", 21_600, 0, 31_536_000),
    ("periodic.cleanup_logs_interval", 86_400, 0, 31_536_000),
    ("periodic.audit_interval", 21_600, 0, 31_536_000),
    ("periodic.retention_interval", 3_600, 0, 31_536_000),
    ("jobs.workers", 0, 0, 64),
    ("jobs.lease_s", 60, 1, 3_600),
    ("jobs.heartbeat_s", 15, 0.1, 1_200),
    ("jobs.poll_ms", 250, 10, 10_000),
    ("jobs.max_attempts", 3, 1, 100),
    ("jobs.extraction_attempts", 5, 1, 100),
    ("jobs.maintenance_attempts", 1, 1, 100),
    ("jobs.backoff_base_s", 2, 0.01, 3_600),
    ("jobs.backoff_max_s", 300, 1, 86_400),
    ("jobs.maintenance_timeout_s", 300, 1, 86_400),
    ("jobs.stall_s", 600, 1, 86_400),
    ("jobs.abandon_s", 30, 1, 3_600),
    ("jobs.aging_s", 600, 1, 86_400),
    ("jobs.refresh_limit", 5, 1, 10_000),
    ("jobs.refresh_window_s", 300, 1, 86_400),
    ("jobs.create_project_limit", 10, 1, 10_000),
    ("jobs.create_project_window_s", 3600, 1, 86_400),
    ("jobs.keep_completed_h", 24, 0, 87_600),
    ("jobs.keep_cancelled_h", 24, 0, 87_600),
    ("jobs.keep_failed_h", 168, 0, 87_600),
    ("jobs.keep_history_days", 30, 0, 3_650),
    ("serve.port", 7411, 0, 65_535),
    ("serve.soft_stop_s", 10, 0, 600),
    ("serve.hard_stop_s", 25, 0, 600),
    ("serve.clone_depth", 1, 0, 1_000_000),
    ("serve.git_stall_s", 600, 10, 86_400),
    ("budget.memory_mb", None, 32, 1_048_576),
    ("budget.cpu_percent", None, 1, 100_000),
    ("budget.watches", None, 1, 10_000_000),
    ("budget.busy_percent", 80, 0, 100),
    ("budget.interval_s", 5, 0.1, 3_600),
    ("budget.raise_after_s", 15, 0, 3_600),
    ("budget.lower_after_s", 60, 0, 86_400),
    ("serve.max_body_kb", 1024, 1, 65_536),
    ("serve.reads_per_second", 1000, 1, 1_000_000),
    ("serve.writes_per_second", 20, 1, 1_000_000),
    ("serve.max_streams", 256, 1, 10_000),
    ("serve.log_max_mb", 10, 0.01, 10_000),
    ("serve.log_files", 5, 1, 1_000),
]
# What else must be given so that a bound is valid beside its partner.
PARTNERS: dict[tuple[str, float], dict[str, Any]] = {
    ("scheduler.max_delay_seconds", 30): {"scheduler.delay_seconds": 1},
    ("monitor.debounce_ms", 10_000): {"monitor.max_delay_ms": 10_000},
    ("monitor.max_delay_ms", 1): {"monitor.debounce_ms": 0},
    ("jobs.lease_s", 1): {"jobs.heartbeat_s": 1},
    ("jobs.heartbeat_s", 1200): {"jobs.lease_s": 3600},
    ("jobs.backoff_base_s", 3600): {"jobs.backoff_max_s": 3600},
    ("jobs.backoff_max_s", 1): {"jobs.backoff_base_s": 1},
    ("serve.soft_stop_s", 600): {"serve.hard_stop_s": 600},
    ("serve.hard_stop_s", 0): {"serve.soft_stop_s": 0},
}


def load(root: Path, environ: dict[str, str] | None = None, **flags: Any) -> Settings:
    flat = {key.replace("__", "."): value for key, value in flags.items()}
    return load_settings(root, flags=flat, environ=environ or {})


def get(settings: Settings, key: str) -> Any:
    value: Any = settings
    for part in key.split("."):
        value = getattr(value, part)
    return value


@pytest.mark.parametrize(("key", "default", "low", "high"), RANGES)
def test_default_and_both_bounds_are_accepted_and_just_outside_is_refused(
    tmp_path: Path, key: str, default: object, low: float, high: float
) -> None:
    assert get(Settings(), key) == default
    for value in (low, high):
        flags = {key: value, **PARTNERS.get((key, value), {})}
        assert get(load_settings(tmp_path, flags=flags, environ={}), key) == value
    for value in (low - 1, high + 1, "x", True, float("nan")):
        with pytest.raises(ConfigError) as caught:
            load_settings(tmp_path, flags={key: value}, environ={})
        (problem,) = caught.value.problems
        assert (problem.key, problem.source) == (key, "flag")
        assert f"{low:g}" in problem.valid.replace(".0", "") or str(low) in problem.valid
        assert valid_range(key) == problem.valid


def test_every_numeric_setting_is_in_the_table_above() -> None:
    numeric = {
        f"{section.name}.{item.name}"
        for section in msgspec.structs.fields(Settings)
        if section.name != "state_dir"
        for item in msgspec.structs.fields(section.type)
        if "table" not in valid_range(f"{section.name}.{item.name}")
        if "number" in valid_range(f"{section.name}.{item.name}")
    }
    assert numeric == {key for key, *_ in RANGES}


@pytest.mark.parametrize(
    ("key", "good", "bad"),
    [
        ("scheduler.enabled", False, "maybe"),
        ("monitor.source", "poll", "kqueue"),
        ("monitor.nested_repositories", False, 3),
        ("state_dir", "/var/x", 3),
    ],
)
def test_other_kinds(tmp_path: Path, key: str, good: Any, bad: Any) -> None:
    assert get(load_settings(tmp_path, flags={key: good}, environ={}), key) == good
    with pytest.raises(ConfigError):
        load_settings(tmp_path, flags={key: bad}, environ={})


@pytest.mark.parametrize(
    ("key", "value"),
    [("disabled_extractors", ["words", "outline"]), ("options", {"outline": {"depth": 3}})],
)
def test_what_is_said_about_our_own_extractors_is_refused(tmp_path: Path, key: str, value: Any) -> None:
    with pytest.raises(ConfigError, match="outline: part of Currant, and has no switch or options"):
        load_settings(tmp_path, flags={f"extract.{key}": value}, environ={})


def test_ignore_patterns_as_list_and_from_environment(tmp_path: Path) -> None:
    assert load(tmp_path, monitor__ignore_patterns=["*.log"]).monitor.ignore_patterns == ("*.log",)
    name = "CURRANT_MONITOR__IGNORE_PATTERNS"
    assert load(tmp_path, {name: "*.log, *.tmp"}).monitor.ignore_patterns == ("*.log", "*.tmp")
    assert load(tmp_path, {name: '["a,b", "c"]'}).monitor.ignore_patterns == ("a,b", "c")
    assert load(tmp_path, {name: ""}).monitor.ignore_patterns == ()
    for bad in ("[1]", '["open'):
        with pytest.raises(ConfigError, match="must be a list of strings"):
            load(tmp_path, {name: bad})


def test_sources_in_rising_precedence(tmp_path: Path) -> None:
    home = tmp_path / "home"
    root = tmp_path / "root"
    user = home / "currant"
    user.mkdir(parents=True)
    root.mkdir()
    everywhere = "[scheduler]\nworker_threads = 3\nbatch_size = 3\nmax_queue_size = 300\ndelay_seconds = 3\n"
    (user / "config.toml").write_text(everywhere)
    (root / "currant.toml").write_text(
        "[scheduler]\nworker_threads = 4\nbatch_size = 4\nmax_queue_size = 400\n"
    )
    environ = {
        "XDG_CONFIG_HOME": str(home),
        "CURRANT_SCHEDULER__WORKER_THREADS": "5",
        "CURRANT_SCHEDULER_BATCH_SIZE": "5",
    }
    settings = load(root, environ, scheduler__worker_threads=6, scheduler__batch_size=None)
    scheduler = settings.scheduler
    assert scheduler.worker_threads == 6
    assert scheduler.batch_size == 5
    assert scheduler.max_queue_size == 400
    assert scheduler.delay_seconds == 3
    assert scheduler.max_delay_seconds == 120


def test_user_file_below_home_when_xdg_is_unset_or_relative(tmp_path: Path) -> None:
    user = tmp_path / ".config" / "currant"
    user.mkdir(parents=True)
    (user / "config.toml").write_text("[cache]\nmax_mb = 7\n")
    assert load(tmp_path, {"HOME": str(tmp_path)}).cache.max_mb == 7
    assert load(tmp_path, {"HOME": str(tmp_path), "XDG_CONFIG_HOME": "relative"}).cache.max_mb == 7


def test_hidden_root_file_is_read_and_two_root_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / ".currant.toml").write_text("[cache]\nmax_mb = 9\n")
    assert load(tmp_path).cache.max_mb == 9
    (tmp_path / "currant.toml").write_text("")
    with pytest.raises(ConfigError, match="keep one of them"):
        load(tmp_path)


def test_all_problems_at_once_even_those_a_later_source_hides(tmp_path: Path) -> None:
    (tmp_path / "currant.toml").write_text(
        "[scheduler]\nworker_threads = 99\nworker_thread = 2\n"
        "[monitr]\ndebounce_ms = 1\n[extract]\nmax_file_mb = 0\n"
    )
    environ = {
        "CURRANT_SCHEDULER__WORKER_THREADS": "4",
        "CURRANT_CACHE__MAX_MB": "lots",
        "CURRANT_CACHE_MAXMB": "1",
    }
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, environ, monitor__source="bsd")
    problems = {problem.key: problem for problem in caught.value.problems}
    assert set(problems) == {
        "scheduler.worker_threads",
        "scheduler.worker_thread",
        "monitr.debounce_ms",
        "extract.max_file_mb",
        "cache.max_mb",
        "CURRANT_CACHE_MAXMB",
        "monitor.source",
    }
    assert problems["scheduler.worker_threads"].source.endswith("currant.toml")
    assert problems["scheduler.worker_threads"].value == 99
    assert "did you mean scheduler.worker_threads?" in problems["scheduler.worker_thread"].valid
    assert "did you mean CURRANT_CACHE_MAX_MB?" in problems["CURRANT_CACHE_MAXMB"].valid
    assert problems["cache.max_mb"].source == "environment CURRANT_CACHE__MAX_MB"


@pytest.mark.parametrize(
    ("text", "word"),
    [("a = [", "TOML"), ("[scheduler]\nworker_threads = 'x'", "whole number"), ("cache = 3", "no such")],
)
def test_broken_files_are_refused_by_name(tmp_path: Path, text: str, word: str) -> None:
    (tmp_path / "currant.toml").write_text(text)
    with pytest.raises(ConfigError, match=word) as caught:
        load(tmp_path)
    assert "currant.toml" in str(caught.value)


def test_not_utf8_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "currant.toml").write_bytes(b"\xff")
    with pytest.raises(ConfigError, match="must be TOML"):
        load(tmp_path)


def test_other_variables_of_ours_are_let_through(tmp_path: Path) -> None:
    environ = {"CURRANT_LOG": "debug", "CURRANT_TESTING": "1", "CURRANT_TEST_SEED": "4", "PATH": "/bin"}
    assert load(tmp_path, environ) == Settings()


def test_two_spellings_of_one_variable_must_agree(tmp_path: Path) -> None:
    environ = {"CURRANT_CACHE__MAX_MB": "4", "CURRANT_CACHE_MAX_MB": "4"}
    assert load(tmp_path, environ).cache.max_mb == 4
    with pytest.raises(ConfigError, match="contradicts"):
        load(tmp_path, environ | {"CURRANT_CACHE_MAX_MB": "5"})


@pytest.mark.parametrize("text", ["true", "false", "1", "0"])
def test_booleans_from_environment(tmp_path: Path, text: str) -> None:
    assert load(tmp_path, {"CURRANT_SCHEDULER__ENABLED": text}).scheduler.enabled is (text in ("true", "1"))


def test_delays_must_not_exceed_their_maximum(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"scheduler.max_delay_seconds = 30 .*at least scheduler.delay_seconds = 60"
    ):
        load(tmp_path, scheduler__delay_seconds=60, scheduler__max_delay_seconds=30)
    with pytest.raises(
        ConfigError, match=r"monitor.debounce_ms = 3000 .*at most monitor.max_delay_ms = 2000"
    ):
        load(tmp_path, monitor__debounce_ms=3000)


def test_state_dir_counts_from_the_root(tmp_path: Path) -> None:
    assert load(tmp_path).state_path(tmp_path) == tmp_path / ".currant"
    assert load(tmp_path, state_dir="x/y").state_path(tmp_path) == tmp_path / "x/y"
    absolute = load(tmp_path, {"CURRANT_STATE_DIR": "/var/lib/currant"})
    assert absolute.state_path(tmp_path) == Path("/var/lib/currant")
    assert load(tmp_path, state_dir=tmp_path / "z").state_dir == str(tmp_path / "z")


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("state_dir = '/tmp/elsewhere'", "inside the tree"),
        ("state_dir = '../elsewhere'", "inside the tree"),
        ("state_dir = 'link/below'", "inside the tree"),
        ("state_dir = '.'", "inside the tree"),
        ("[extract]\nsecrets = 'extract'", "a file of the tree cannot"),
        ("[extract]\nshared_cache = '/tmp/shared.db'", "a file of the tree cannot"),
        ("[extract.options.words]\nleast = 3", "a file of the tree cannot"),
    ],
)
def test_a_file_of_the_tree_cannot_reach_out_of_it(tmp_path: Path, text: str, word: str) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "link").symlink_to(tmp_path)
    (root / "currant.toml").write_text(text)
    with pytest.raises(ConfigError, match=word):
        load(root)
    # The user's own file may.
    user = tmp_path / "config" / "currant"
    user.mkdir(parents=True)
    (root / "currant.toml").rename(user / "config.toml")
    load(root, {"XDG_CONFIG_HOME": str(tmp_path / "config")})


def test_a_file_of_the_tree_may_name_a_directory_inside(tmp_path: Path) -> None:
    (tmp_path / "currant.toml").write_text("state_dir = 'build/index'\n[extract]\nsecrets = 'list'\n")
    assert load(tmp_path).state_dir == "build/index"


def test_a_configuration_that_is_no_small_regular_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret.toml").write_text("[registry]\ntoken = 'abcdef'\n")
    place = tmp_path / "currant.toml"
    place.symlink_to("secret.toml")
    with pytest.raises(ConfigError, match="must not be a link") as caught:
        load(tmp_path)
    assert "abcdef" not in str(caught.value)
    place.unlink()
    os.mkfifo(place)
    with pytest.raises(ConfigError, match="not a regular file"):
        load(tmp_path)
    place.unlink()
    with place.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(ConfigError, match="larger than 1 MiB"):
        load(tmp_path)
    place.write_text("a = " + "[" * 100_000)
    with pytest.raises(ConfigError, match="must be TOML"):
        load(tmp_path)
