"""One function for each tool: a question to the index, and its answer within a budget of tokens.

Owns what an answer shows of what the index says. Every answer is of plain data; nothing is opened or run.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, Final

from currant.api import Index
from currant.clock import Clock, SystemClock
from currant.errors import CurrantError, UsageError
from currant.ipc.client import Answer
from currant.mcp import freshness, shapes
from currant.mcp.budget import cut, fitting, tokens
from currant.mcp.paths import named, shown
from currant.mcp.source import Source

_SYNC_MS: Final = 2_000
_BUILDING_MS: Final = 200
"""While most of the index is missing, waiting longer for the rest of it would only delay what there is."""
_SLICE_SECONDS: Final = 1.0
_DOC: Final = 160
_SIGNATURE: Final = 200
_TEXT: Final = 600
_ALIKE: Final = 3


class Tools:
    """The tools over a source. Thread-safe. `budget`: tokens that one answer may take."""

    def __init__(self, source: Source, budget: int, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._source = source
        self._budget = budget
        self._building: dict[str, bool] = {}  # by project, as of the last answer

    def call(self, name: str, arguments: shapes.Arguments) -> shapes.Answer:
        """Answer one question. Raises CurrantError, whose message says the way out."""
        return _TOOLS[name](self, arguments)

    # --- asking -------------------------------------------------------------------------------------------

    def _ask(
        self, index: Index, project: str, method: str, params: Mapping[str, Any]
    ) -> tuple[Any, freshness.Said]:
        """The result of one question, and what is to be said of its freshness."""
        if project not in self._building:
            self._building[project] = freshness.progress(index.status()).building
        answer = index.ask(method, params, sync_ms=_BUILDING_MS if self._building[project] else _SYNC_MS)
        return answer.result, self._said(index, project, answer)

    def _said(self, index: Index, project: str, answer: Answer, *, whole: bool = True) -> freshness.Said:
        """`whole`: the barrier was for everything, so it tells of the index and not of some paths."""
        degraded = [*answer.degraded, *self._source.worse(project)]
        said = freshness.Said(answer.fresh, answer.clock or "", degraded=degraded)
        if answer.fresh:
            if whole:
                self._building[project] = False
            return said
        told = freshness.progress(index.status())
        if whole:
            self._building[project] = told.building
        said.note = freshness.note(told, said.degraded, answer.outstanding)
        if not told.building:  # of thousands, five names say nothing
            said.pending = freshness.named(answer.outstanding)
        return said

    def _unknown(self, index: Index, path: str, said: freshness.Said) -> CurrantError:
        """What to tell about a path that the index does not hold."""
        if said.note:
            return UsageError(f"{shown(path)} is not in the index. {said.note}")
        base = path.rpartition("/")[2].lower()
        files: list[str] = index.ask("files", {}, sync_ms=-1).result
        alike = [one for one in files if one.rpartition("/")[2].lower() == base][:_ALIKE]
        hint = f"; there is {', '.join(map(shown, alike))}" if alike else ""
        return UsageError(
            f"{shown(path)} is not in the index: there is no such file, or it is ignored{hint}. "
            "Paths are from the root; find_symbol and search give them."
        )

    # --- the tools ----------------------------------------------------------------------------------------

    def find_symbol(self, asked: shapes.FindSymbol) -> shapes.Hits:
        """Definitions by name."""
        return self._hits(asked, asked.name, exact=asked.exact, documentation=False)

    def search(self, asked: shapes.Search) -> shapes.Hits:
        """Definitions and headers by what is said of them; files by their path."""
        if asked.kind == "path":
            return self._paths(asked)
        return self._hits(asked, asked.query, exact=False, documentation=True)

    def _hits(
        self, asked: shapes.FindSymbol | shapes.Search, text: str, *, exact: bool, documentation: bool
    ) -> shapes.Hits:
        index = self._source.index(asked.project)
        wanted = {"kind": asked.kind or None, "language": asked.language or None, "path": asked.path or None}
        # One more than is shown, to know whether there are more.
        limit = asked.offset + asked.limit + 1
        params = {"name": text, "exact": exact, "documentation": documentation, "limit": limit, **wanted}
        rows, said = self._ask(index, asked.project, "find", params)
        page = [_hit(row) for row in rows[asked.offset : asked.offset + asked.limit]]
        kept = fitting(page, self._budget)
        answer = shapes.Hits(hits=kept, **asdict(said))
        if asked.offset + len(kept) < len(rows):
            answer.next_offset = asked.offset + len(kept)
            answer.more = (
                f"there are more: offset={answer.next_offset}, or narrow it with path, kind, language"
            )
        if not rows and not said.note:
            answer.note = "No definition in any indexed file has that." if not documentation else (
                "No name, documentation or header has all these words; try fewer, or other ones."
            )  # fmt: skip
        return answer

    def _paths(self, asked: shapes.Search) -> shapes.Hits:
        if asked.language or asked.path:
            raise UsageError("search: with kind=path the glob is the query; leave out path and language")
        index = self._source.index(asked.project)
        limit = asked.offset + asked.limit + 1
        rows, said = self._ask(index, asked.project, "files", {"pattern": asked.query, "limit": limit})
        page = [
            shapes.Hit(path=shown(path), line=1, name=shown(path.rpartition("/")[2]), kind="path")
            for path in rows[asked.offset : asked.offset + asked.limit]
        ]
        kept = fitting(page, self._budget)
        answer = shapes.Hits(hits=kept, **asdict(said))
        if asked.offset + len(kept) < len(rows):
            answer.next_offset = asked.offset + len(kept)
            answer.more = f"there are more: offset={answer.next_offset}, or a glob such as **/NAME or src/**"
        if not rows and not said.note:
            answer.note = "No indexed file has such a path; ignored files are not indexed."
        return answer

    def file_record(self, asked: shapes.FileRecord) -> shapes.FileAnswer:
        """What the index holds of one file, which is looked at anew first."""
        index = self._source.index(asked.project)
        path = named(index.root, asked.path)
        if not path:
            raise UsageError("that is the root: name a file; status says what is in the tree")
        reached = index.ask("sync", {"paths": [path]}, sync_ms=_SYNC_MS)
        said = self._said(index, asked.project, reached, whole=False)
        view = index.ask("show", {"path": path}, sync_ms=-1).result
        if view is None:
            raise self._unknown(index, path, said)
        record = view["record"] or {}
        header = record.get("header")
        answer = shapes.FileAnswer(
            path=shown(path),
            language=view["language"] or "",
            bytes=view["stat"]["size"],
            content=view["content"] or "",
            state=view["state"],
            reason=cut(view["reason"] or "", _TEXT),
            notes=[cut(note, _DOC) for note in record.get("notes", [])[:10]],
            facts=_small(record.get("facts", {}), self._budget // 4),
            header=None if header is None else _header(header),
            **asdict(said),
        )
        outline = [_outline(row) for row in record.get("symbols", [])]
        answer.definitions = fitting(outline[asked.offset :], self._budget, used=tokens(answer))
        left = len(outline) - asked.offset - len(answer.definitions)
        if left > 0:
            answer.next_offset = asked.offset + len(answer.definitions)
            answer.more = f"{left:,} more definitions: offset={answer.next_offset}"
        return answer

    def references(self, asked: shapes.References) -> shapes.ReferencesAnswer:
        """What names a file, and what it names."""
        index = self._source.index(asked.project)
        path = named(index.root, asked.path)
        told, said = self._ask(index, asked.project, "refs", {"path": path})
        if told is None:
            raise self._unknown(index, path, said)
        rows: list[shapes.Incoming | shapes.Outgoing] = []
        if asked.direction != "out":
            rows += [_incoming(row) for row in told["incoming"]]
        if asked.direction != "in":
            rows += [_outgoing(row) for row in told["outgoing"]]
        kept = fitting(rows[asked.offset : asked.offset + asked.limit], self._budget)
        answer = shapes.ReferencesAnswer(
            path=shown(path),
            incoming_total=len(told["incoming"]),
            outgoing_total=len(told["outgoing"]),
            incoming=[row for row in kept if isinstance(row, shapes.Incoming)],
            outgoing=[row for row in kept if isinstance(row, shapes.Outgoing)],
            **asdict(said),
        )
        _rest(answer, len(rows), asked.offset, len(kept), "direction=in or out")
        return answer

    def changes_since(self, asked: shapes.ChangesSince) -> shapes.ChangesAnswer:
        """What changed since a clock; without one, the clock to begin with."""
        index = self._source.index(asked.project)
        if not asked.clock:
            _, said = self._ask(index, asked.project, "sync", {})
            answer = shapes.ChangesAnswer(**asdict(said))
            answer.note = " ".join(filter(None, (answer.note, "Ask with this clock later on.")))
            return answer
        page, said = self._ask(index, asked.project, "changes", {"since": asked.clock, "limit": asked.limit})
        if page["fresh_instance"]:
            # Everything, as created: of no use to someone who wants to know what changed.
            said.note = (
                "That clock is not known here (any more): anything may have changed. Go on from this one."
            )
            return shapes.ChangesAnswer(reset=True, **asdict(said))
        rows = page["changes"]
        changes = [_change(row) for row in rows]
        answer = shapes.ChangesAnswer(changes=fitting(changes, self._budget), **asdict(said))
        kept = len(answer.changes)
        # Where to go on from is behind the last row shown.
        answer.clock = rows[kept - 1]["clock"] if kept < len(rows) else page["clock"]
        if kept < len(rows) or page["more"]:
            answer.more = "there are more changes: ask with this clock"
        return answer

    def status(self, asked: shapes.Status) -> shapes.StatusAnswer:
        """State and progress. Waits for nothing."""
        if self._source.several and not asked.project:
            projects = self._source.projects()
            note = (
                "Name one of these as project." if projects else "No project yet: `currant project add PATH`."
            )
            return shapes.StatusAnswer(fresh=True, note=note, projects=projects)
        index = self._source.index(asked.project)
        told = index.status()
        at = freshness.progress(told)
        languages = sorted(told["index"].get("by_language", {}).items(), key=lambda pair: (-pair[1], pair[0]))
        answer = shapes.StatusAnswer(
            fresh=told["fresh"],
            clock=told["clock"] or "",
            note="" if told["fresh"] else freshness.note(at, [], []),
            root=shown(told["root"]),
            phase=at.phase,
            files=at.files,
            total=at.total,
            percent=at.percent,
            eta_seconds=None if at.eta_seconds is None else round(at.eta_seconds, 1),
            definitions=told["index"].get("symbols", 0),
            languages={name or "(none)": count for name, count in languages[:8]},
            failed=told["index"].get("failed", 0),
            troubles=[_trouble(one) for one in told["degraded"][:8]],
            owner_pid=told["pid"] or 0,
            version=str(index.owner.get("version", "")),
        )
        if answer.failed:
            failures = index.ask("failures", {"limit": 5}, sync_ms=-1).result
            answer.failures = [
                shapes.Failed(path=shown(one["path"]), reason=cut(shown(one["reason"]), _DOC))
                for one in failures
            ]
        return answer

    def refresh(self, asked: shapes.Refresh) -> shapes.RefreshAnswer:
        """The barrier, with as much patience as was asked for."""
        index = self._source.index(asked.project)
        job = "" if asked.paths else self._source.refresh(asked.project)
        params = {"paths": [named(index.root, path) for path in asked.paths]} if asked.paths else {}
        reached = self._sync(index, params, asked.wait_seconds)
        said = self._said(index, asked.project, reached, whole=not asked.paths)
        return shapes.RefreshAnswer(job=job, **asdict(said))

    def _sync(self, index: Index, params: Mapping[str, Any], seconds: float) -> Answer:
        """The barrier in slices: over one connection to an owner, other calls get their turn in between."""
        begun = self._clock.monotonic()
        while True:
            left = seconds - (self._clock.monotonic() - begun)
            part = max(0.0, min(_SLICE_SECONDS, left))
            reached = index.ask("sync", params, sync_ms=round(part * 1_000))
            # A root that is gone is not waited for.
            if reached.fresh or left <= part or "root_missing" in reached.degraded:
                return reached

    def drift(self, asked: shapes.Drift) -> shapes.DriftAnswer:
        """What documents and headers say that does not hold."""
        index = self._source.index(asked.project)
        told, said = self._ask(index, asked.project, "drift", {"kinds": asked.kinds})
        findings = told["findings"]
        if asked.path and (below := named(index.root, asked.path)):
            findings = [
                one for one in findings if one["path"] == below or one["path"].startswith(below + "/")
            ]
        by_kind: dict[str, int] = {}
        for one in findings:
            by_kind[one["kind"]] = by_kind.get(one["kind"], 0) + 1
        lines = [_finding(one) for one in findings[asked.offset : asked.offset + asked.limit]]
        answer = shapes.DriftAnswer(total=len(findings), by_kind=by_kind, **asdict(said))
        answer.findings = fitting(lines, self._budget)
        _rest(answer, len(findings), asked.offset, len(answer.findings), "path or kinds")
        return answer


_TOOLS: Final[Mapping[str, Callable[[Tools, Any], shapes.Answer]]] = {
    "find_symbol": Tools.find_symbol,
    "search": Tools.search,
    "file_record": Tools.file_record,
    "references": Tools.references,
    "changes_since": Tools.changes_since,
    "status": Tools.status,
    "refresh": Tools.refresh,
    "drift": Tools.drift,
}


def _rest(answer: shapes.Answer, total: int, offset: int, kept: int, narrow: str) -> None:
    left = total - offset - kept
    if left > 0:
        answer.next_offset = offset + kept
        answer.more = f"{left:,} more: offset={answer.next_offset}, or narrow it with {narrow}"


def _first_line(text: str) -> str:
    return cut(text.strip().partition("\n")[0], _DOC)


def _hit(row: Mapping[str, Any]) -> shapes.Hit:
    return shapes.Hit(
        path=shown(row["path"]),
        line=row["start"],
        end=row["end"] if row["end"] > row["start"] else 0,
        name=cut(row["name"], _SIGNATURE),
        kind=row["kind"],
        parent=cut(row["parent"] or "", _SIGNATURE),
        signature=cut(row["signature"], _SIGNATURE),
        doc=_first_line(row["snippet"] or row["doc"]),
        match=row["match"],
    )


def _outline(row: Mapping[str, Any]) -> shapes.Outline:
    return shapes.Outline(
        line=row["start"],
        end=row["end"] if row["end"] > row["start"] else 0,
        name=cut(row["name"], _SIGNATURE),
        kind=row["kind"],
        parent=cut(row["parent"] or "", _SIGNATURE),
        signature=cut(row["signature"], _SIGNATURE),
        doc=_first_line(row["doc"]),
    )


def _header(told: Mapping[str, Any]) -> shapes.Header:
    history = told["change_history"]
    latest = history[0] if history else {}
    return shapes.Header(
        intent=cut(told["intent"] or "", _TEXT),
        principles=[cut(text, _DOC) for text in told["design_principles"][:10]],
        constraints=[cut(text, _DOC) for text in told["constraints"][:10]],
        dependencies=[cut(f"{one['kind']}:{one['name']}", _DOC) for one in told["dependencies"][:20]],
        documents=[cut(text, _DOC) for text in told["reference_documentation"][:20]],
        latest_change=cut(" ".join(filter(None, (latest.get("timestamp"), latest.get("summary")))), _DOC),
    )


def _small(facts: Mapping[str, Any], budget: int) -> dict[str, Any]:
    """Those facts that fit: a plug-in may say anything, at any length."""
    return {name: value for name, value in facts.items() if tokens(value) <= budget}


def _incoming(row: Mapping[str, Any]) -> shapes.Incoming:
    return shapes.Incoming(
        path=shown(row["path"]), line=row["line"], kind=row["kind"], target=cut(row["target"], _SIGNATURE)
    )


def _outgoing(row: Mapping[str, Any]) -> shapes.Outgoing:
    return shapes.Outgoing(
        line=row["line"],
        kind=row["kind"],
        target=cut(row["target"], _SIGNATURE),
        state=row["state"],
        leads_to=[shown(path) for path in row["leads_to"]],
    )


def _change(row: Mapping[str, Any]) -> shapes.Change:
    old = row["old_path"]
    return shapes.Change(
        path=shown(row["path"]), change=row["change_type"], old_path=shown(old) if old else ""
    )


def _trouble(one: Mapping[str, Any]) -> shapes.Trouble:
    return shapes.Trouble(
        code=one["code"], what=cut(shown(one["what"]), _SIGNATURE), fix=cut(one["fix"], _SIGNATURE)
    )


def _finding(one: Mapping[str, Any]) -> shapes.FindingLine:
    return shapes.FindingLine(
        path=shown(one["path"]), line=one["line"], kind=one["kind"], target=cut(one["target"], _SIGNATURE),
        reason=cut(one["reason"], _SIGNATURE),
    )  # fmt: skip
