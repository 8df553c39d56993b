"""The first steps of owning a root: what is taken, what is begun, and what becomes of it."""

from pathlib import Path
from typing import Any

import pytest

from currant.config import SchedulerSettings, Settings
from currant.errors import LockedError, UsageError
from currant.outset import Outset
from currant.service import Service
from fake_engine import FakeEngine


class Engines:
    """Every engine that was made, and whether it still runs."""

    def __init__(self) -> None:
        self.made: list[FakeEngine] = []
        self.stopped: list[FakeEngine] = []

    def __call__(self, root: str, **options: Any) -> FakeEngine:
        engine = FakeEngine(root, **options)
        stop = engine.stop

        def stopping() -> None:
            self.stopped.append(engine)
            stop()

        engine.stop = stopping  # type: ignore[method-assign]
        self.made.append(engine)
        return engine


def outset(root: Path, engines: Engines, settings: Settings | None = None) -> Outset:
    return Outset(root, root / ".currant", settings or Settings(), live=False, factory=engines)


def is_free(root: Path) -> bool:
    other = outset(root, Engines())
    try:
        other.take_root()
    except LockedError:
        return False
    finally:
        other.close()
    return True


def test_who_begins_first_has_the_lock_and_his_engine_is_the_services(tmp_path: Path) -> None:
    engines = Engines()
    begun = outset(tmp_path, engines)
    begun.take_root()
    begun.begin()
    begun.begin()
    assert len(engines.made) == 1
    assert not is_free(tmp_path)
    with Service(tmp_path, live=False, outset=begun) as service:
        assert service.engine is engines.made[0]
        assert service.sync(60).fresh
    assert engines.stopped[:1] == engines.made
    assert is_free(tmp_path)


def test_what_was_begun_for_nobody_is_stopped_and_the_root_given_back(tmp_path: Path) -> None:
    engines = Engines()
    begun = outset(tmp_path, engines)
    begun.take_root()
    begun.begin()
    begun.close()
    begun.close()
    assert engines.stopped == engines.made != []
    assert is_free(tmp_path)


def test_a_service_that_cannot_start_stops_what_was_begun(tmp_path: Path) -> None:
    engines = Engines()
    begun = outset(tmp_path, engines)
    begun.take_root()
    begun.begin()
    (tmp_path / ".currant" / "index.db").mkdir()
    service = Service(tmp_path, live=False, outset=begun)
    with pytest.raises(Exception, match="index"):
        service.start()
    assert engines.made[0] in engines.stopped
    assert is_free(tmp_path)


def test_each_set_of_parts_has_an_engine_of_its_own(tmp_path: Path) -> None:
    engines = Engines()
    begun = outset(tmp_path, engines)
    assert begun.engine() is not begun.engine()
    assert len(engines.made) == 2


def test_nothing_is_begun_where_nothing_is_brought_up_to_date(tmp_path: Path) -> None:
    engines = Engines()
    begun = outset(tmp_path, engines, Settings(scheduler=SchedulerSettings(enabled=False)))
    begun.begin()
    assert begun.engine() is None
    assert engines.made == []


def test_a_root_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        outset(tmp_path / "gone", Engines()).take_root()
    assert not (tmp_path / "gone").exists()
