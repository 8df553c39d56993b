"""How each part of a service is made from its root and its settings.

Owns: which setting goes where, and which rows of an index are to be read again at a start. Does not own: the
order of starting and stopping, or any part's behaviour.
"""

import logging
import os
import random
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from currant.audit import Ledger
from currant.changes import EngineLike
from currant.clock import Clock
from currant.config import ExtractSettings, MonitorSettings
from currant.extract import Registry, configured_registry
from currant.lookahead import UnderWay
from currant.processing import CONTENT_BYTES, PARSED_BYTES, Processor
from currant.query import Query
from currant.reading import ByteBudget, Reader
from currant.status import StatusReporter
from currant.store import Policies, SharedResults, Store
from currant.store.store import TreeRow
from currant.upgrade import Upgrader

if TYPE_CHECKING:
    from currant.audit import Auditor

log = logging.getLogger(__name__)


def registry(settings: ExtractSettings) -> Registry:
    """The extractors in use."""
    return configured_registry(settings)


class Rows(NamedTuple):
    """The rows of the index, and what looking at the name of each has shown."""

    rows: Iterable[TreeRow] | Iterable[bytes]
    """To be gone through once; many in one, as `Store.packed_tree_rows` has them, when there is nothing to
    look at."""
    hidden: bool
    """Whether all that the policy of now calls a secret has the result of one."""
    policy: str
    """The registry's, which takes a while to find out."""


def rows(store: Store, registry: Registry) -> Rows:
    """What the engine compares the disk with: the rows of the index.

    Rows of what is a secret now, and whose result is not that of a secret, get a change time that no file
    has, so that the first scan finds them different and they are read again before anything is answered. So
    do those that were secrets under another policy. Whatever else is out of date takes its time (`upgrade`).
    """
    policy = registry.names_policy
    if store.policies().names == policy:
        # Every row was right, and whatever came later was made by this policy.
        return Rows(store.packed_tree_rows(), True, policy)
    rows = store.tree_rows()
    # Failed rows (attempts > 0) have no result.
    secrets = {row[0] for row in rows if not row[5] and registry.to_hide(os.fsdecode(row[0]))}
    if secrets:
        secrets -= store.paths_of(registry.hidden_identity)
    current = registry.identities()
    for extractor in store.extractors():
        if extractor not in current and registry.is_of_secret(extractor):
            secrets |= store.paths_of(extractor)
    if not secrets:
        return Rows(rows, True, policy)
    log.info("%d files are read again, because another policy for secrets is in force", len(secrets))
    again = [(*row[:3], -1, *row[4:]) if row[0] in secrets else row for row in rows]
    return Rows(again, False, policy)


def upgrader(store: Store, registry: Registry, engine: EngineLike, *, hidden: bool, policy: str) -> Upgrader:
    """What replaces records that are out of date, not started yet. `hidden` and `policy` as `rows` has them.

    A name is asked about once for each policy: 100,000 names take a second. Results by what is not in use are
    looked for once for each policy too: as long as none is of an extractor unknown to it, all that came later
    were made under it."""

    def aged() -> list[bytes]:
        if store.policies().current == policy and registry.identities().issuperset(store.extractors()):
            return []
        return store.out_of_date(registry.is_current)

    def lacking() -> list[bytes]:
        if store.policies().names == policy:
            return []
        return sorted(
            path
            for path, extractor in store.paths_by_extractor()
            if registry.lacks_role(os.fsdecode(path), extractor)
        )

    before = store.policies()
    first, unnamed = aged(), lacking()
    noted = Policies(policy if hidden and not unnamed else "", "" if first else policy)
    if before != noted:
        store.note_policies(noted)
    return Upgrader([*first, *unnamed], lambda: [*aged(), *lacking()], engine)


def processors(
    root: Path,
    store: Store,
    registry: Registry,
    *,
    status: StatusReporter,
    clock: Clock,
    shared: SharedResults | None = None,
) -> Callable[[], Processor]:
    """Makes one processor for each worker; what they share is made once."""
    under_way = UnderWay()
    budget = ByteBudget(CONTENT_BYTES)
    parsed = ByteBudget(PARSED_BYTES)

    def make() -> Processor:
        return Processor(
            Reader(str(root), limit=registry.limit, clock=clock),
            registry,
            store.find_results,
            under_way=under_way,
            budget=budget,
            parsed=parsed,
            status=status,
            clock=clock,
            source=random.Random(),
            shared=shared,
        )

    return make


def shared_results(root: Path, settings: ExtractSettings) -> SharedResults | None:
    """The results that several indexes share, if that was asked for."""
    if settings.shared_cache is None:
        return None
    path = Path(settings.shared_cache).expanduser()
    return SharedResults(path, max_mb=settings.shared_cache_mb, root=root)


def auditor(
    root: Path,
    state_dir: Path,
    monitor: MonitorSettings,
    *,
    query: Query,
    engine: EngineLike,
    ledger: Ledger,
    clock: Clock,
    live: bool,
) -> "Auditor":
    """The background audit, not started yet."""
    from currant.audit import Auditor, Sample, walker

    walk = walker(
        str(root),
        state_dir=str(state_dir),
        ignore_patterns=monitor.ignore_patterns,
        nested_repositories=monitor.nested_repositories,
    )
    return Auditor(
        str(root),
        query,
        engine,
        ledger,
        state_dir=str(state_dir),
        walk=walk,
        clock=clock,
        source=random.Random(),
        sample=Sample(monitor.audit_files, monitor.audit_files // 10, monitor.audit_files // 10),
        interval=monitor.audit_interval_s,
        live=live,
    )
