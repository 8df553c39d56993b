"""Records of an extractor that is not in use any more: served, marked, and replaced in order, all of them."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from currant.clock import SystemClock
from currant.extract import OutlineExtractor, Registry, Secrets
from currant.extract.annotators.manifest import ManifestAnnotator
from currant.extract.secrets import SecretsMode
from currant.service import Service
from currant.store import Store
from currant.upgrade import BATCH, Upgrader
from fake_engine import FakeEngine
from pipeline_double import outline_lines


def registry(version: str, mode: SecretsMode = "list") -> Registry:
    return Registry(
        [OutlineExtractor(outline_lines, [("python", version)])], max_file_mb=1, secrets=Secrets(mode)
    )


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Five files, `f0.py` the oldest and `f4.py` the newest, indexed by version 1."""
    root = tmp_path / "root"
    root.mkdir()
    for number in range(5):
        path = root / f"f{number}.py"
        path.write_text(f"def f{number}\n")
        os.utime(path, ns=((1_000 + number) * 10**9,) * 2)
    racy = True
    while racy:  # read within the resolution of its times: the next start would read it again anyway
        with Service(root, live=False, registry=registry("1")) as service:
            assert service.sync(60).fresh
            racy = any(row[3] == -1 for row in service.store.tree_rows())
    return root


def outdated(service: Service) -> list[str]:
    views = {name: service.query.show(name) for name in sorted(os.listdir(service.root)) if name[0] == "f"}
    return [name for name, view in views.items() if view is not None and view.outdated]


def test_an_old_record_is_served_and_marked_and_nothing_is_read_for_it(root: Path) -> None:
    with Service(root, live=False, registry=registry("2")) as service:
        assert service.sync(60).fresh
        assert service.status_reporter.get_stats()["extractor_calls"] == 0
        assert [found.path for found in service.query.find("f3")] == ["f3.py"]
        why = service.query.why("f3.py")
        assert why is not None
        assert (why.outdated, why.extractor) == (True, "outline/2:python-1")
        assert service.get_status()["upgrade"] == {"outdated": 5, "replaced": 0}


def test_what_is_outdated_is_looked_for_once_for_each_registry(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[Store] = []
    look = Store.out_of_date

    def counted(store: Store, current: Callable[[str, str], bool]) -> list[bytes]:
        looks.append(store)
        return look(store, current)

    monkeypatch.setattr(Store, "out_of_date", counted)

    def start(version: str, upgrades: int = 0) -> tuple[bool, int]:
        """Whether it looked, and what it found."""
        looks.clear()
        with Service(root, live=False, registry=registry(version)) as service:
            assert service.sync(60).fresh
            found = bool(looks), service.outdated()
            if upgrades:
                assert service.upgrade(upgrades)["handed_over"] == upgrades
                assert service.sync(60).fresh
        return found

    assert start("1") == (False, 0)  # the one that made the index found nothing
    assert start("2") == (True, 5)
    assert start("2", upgrades=3) == (True, 5)
    assert start("1") == (True, 3)  # what is right for one is not for the other
    assert start("2", upgrades=2) == (True, 2)
    # Those of version 1 are gone, but their extractor is remembered as one that this registry does not know.
    assert start("2") == (True, 0)
    old = "name NOT LIKE '%python-2'"
    with Store.open(root / ".currant", clock=SystemClock()) as store:
        extractors = f"SELECT id FROM extractors WHERE {old}"
        store.tend(lambda db: db.execute(f"DELETE FROM results WHERE extractor_id IN ({extractors})"))
        store.tend(lambda db: db.execute(f"DELETE FROM extractors WHERE {old}"))
    assert start("2") == (False, 0)
    with Store.open(root / ".currant", clock=SystemClock()) as store:
        store.tend(lambda db: db.execute("INSERT INTO extractors (name) VALUES ('plain/1+late')"))
    assert start("2") == (True, 0)


def test_files_that_are_asked_for_come_first_then_those_that_changed_last(root: Path) -> None:
    with Service(root, live=False, registry=registry("2")) as service:
        assert service.sync(60).fresh
        service.query.show("f1.py")
        service.query.find("f2")
        left = []
        for _ in range(6):
            service.upgrade(1)
            assert service.sync(60).fresh
            with service.store.snapshot() as connection:
                rows = connection.execute(
                    "SELECT f.path FROM files f JOIN results r ON r.id = f.result_id"
                    " JOIN extractors e ON e.id = r.extractor_id WHERE e.name = 'outline/2:python-1'"
                ).fetchall()
            left.append(sorted(os.fsdecode(path) for (path,) in rows))
        assert left == [
            ["f0.py", "f1.py", "f3.py", "f4.py"],
            ["f0.py", "f3.py", "f4.py"],
            ["f0.py", "f3.py"],
            ["f0.py"],
            [],
            [],
        ]
        assert service.get_status()["upgrade"] == {"outdated": 0, "replaced": 5}
        assert outdated(service) == []


def test_a_file_renamed_while_it_waits_is_not_forgotten(root: Path) -> None:
    with Service(root, live=False, registry=registry("2")) as service:
        assert service.sync(60).fresh
        (root / "dir").mkdir()
        (root / "f0.py").rename(root / "f9.py")
        service.engine.rescan("")
        assert service.sync(60).fresh
        while service.upgrade(2)["handed_over"]:
            assert service.sync(60).fresh
        assert outdated(service) == []


def test_a_watcher_replaces_all_of_them_by_itself(root: Path) -> None:
    import threading

    replaced = threading.Event()
    with Service(root, registry=registry("2")) as service:
        service.on_commit.append(lambda _info: replaced.set() if not outdated(service) else None)
        if outdated(service):
            assert replaced.wait(60)
        assert outdated(service) == []
        # And a change in the meantime is a change like any other.
        (root / "f0.py").write_text("def new\n")
        assert service.sync(60).fresh
        assert [found.path for found in service.query.find("new")] == ["f0.py"]


def test_a_record_that_cannot_be_made_any_better_is_tried_once() -> None:
    engine = FakeEngine("/nowhere", state_dir="/nowhere/.currant")
    upgrader = Upgrader(
        [b"x", b"y"], lambda: [b"x", b"y"], engine
    )  # still outdated, however often it is read
    assert [upgrader.hand_over(10), upgrader.hand_over(10)] == [2, 0]


def test_changes_come_before_outdated_records_and_few_of_these_at_a_time(tmp_path: Path) -> None:
    engine = FakeEngine(str(tmp_path), state_dir=str(tmp_path / ".currant"))
    names = [f"n{number}" for number in range(60)]
    for name in names:
        (tmp_path / name).touch()
    upgrader = Upgrader([os.fsencode(name) for name in names[10:]], list, engine)
    engine.change(*names[:10])
    assert upgrader.step() is None
    batch = engine.next_batch(100, 0) or ()
    assert len(batch) == 10
    assert upgrader.step() is None  # they are being read
    engine.ack([(change.ticket, "done", 0, 0, 0, 0, 0.0) for change in batch])
    assert upgrader.step() == BATCH
    assert upgrader.step() is None
    assert upgrader.status() == {"outdated": 50 - BATCH, "replaced": BATCH}


def test_what_became_a_secret_is_read_again_before_anything_is_answered(root: Path) -> None:
    (root / "id_rsa").write_text("def key\n")
    (root / "notes.py").write_text("def a\n# -----BEGIN PRIVATE KEY-----\n")
    with Service(root, live=False, registry=registry("1", "extract")) as service:
        assert service.sync(60).fresh
        assert [found.path for found in service.query.find("a", exact=True)] == ["notes.py"]
    with Service(root, live=False, registry=registry("2", "list")) as service:
        assert service.sync(60).fresh
        for path in ("id_rsa", "notes.py"):
            view = service.query.show(path)
            assert view is not None
            assert view.record is not None
            assert (view.record.notes, view.record.symbols) == (["secret"], [])


def test_an_index_command_replaces_them_all(root: Path) -> None:
    import currant
    from currant.cli import cli

    # Our own extractor is another one than the test's.
    assert cli.main(["index", str(root)], standalone_mode=False) == 0

    with currant.open(root, live=False) as index:
        index.sync(60)
        assert index.status()["upgrade"]["outdated"] == 0
        view = index.show("f0.py")
        assert view is not None
        assert not view.outdated


def test_a_file_whose_name_has_become_one_for_an_annotator_is_read_again(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "requirements.txt").write_text("django\n")
    (root / "notes.txt").write_text("django\n")
    (root / "go.mod").write_bytes(b"module a\0")
    outline = OutlineExtractor(outline_lines, [("python", "1")])
    before, now = (
        Registry([outline], max_file_mb=1, annotators=some) for some in ((), (ManifestAnnotator(),))
    )
    with Service(root, live=False, registry=before) as service:
        assert service.sync(60).fresh
        assert service.query.facts("manifest") == []
    with Service(root, live=False, registry=now) as service:
        assert service.sync(60).fresh
        while service.upgrade(2)["handed_over"]:
            assert service.sync(60).fresh
        ((path, fact),) = service.query.facts("manifest")
        assert (path, fact["dependencies"][0]["name"]) == ("requirements.txt", "django")
