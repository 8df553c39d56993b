"""What the modules of the page decide, against oracles here, and what is shipped of it.

Run in Chromium, without a service: the files come from the source tree.
"""

import itertools
import json
import mimetypes
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_type_hints
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from playwright.sync_api import Page, Route

from currant.rest import schemas, schemas_service
from page_kit import chromium, looking

PAGE = Path(__file__).resolve().parent.parent / "python" / "currant" / "rest" / "page"
URL = "http://page.test/"


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    """A blank page beside the modules."""

    def give(route: Route) -> None:
        name = route.request.url.removeprefix(URL)
        kind = mimetypes.guess_type(name)[0] or "text/html"
        route.fulfill(body=(PAGE / name).read_bytes() if name else b"<!doctype html>", content_type=kind)

    with chromium() as browser, looking(browser, URL) as page:
        page.route(f"{URL}**", give)
        page.goto(URL)
        yield page


@pytest.mark.parametrize(
    ("shape", "fields"),
    [
        ("project", (schemas.ProjectEntry, schemas.ProjectIndex)),
        ("advance", (schemas.Progressing,)),
        ("job", (schemas.JobEntry,)),
        ("queue", (schemas_service.QueueStatus,)),
        ("upkeepTask", (schemas_service.UpkeepTask,)),
        ("schedule", (schemas_service.ScheduleEntry,)),
        ("freshness", (schemas.Told,)),
    ],
)
def test_what_the_page_reads_is_what_the_service_says(shape: str, fields: tuple[type, ...]) -> None:
    """A field that no answer has shows as nothing at all, and nobody sees that it is missing."""
    source = (PAGE / "shape.js").read_text()
    body = source.split(f"export function {shape}(")[1].split("\n}\n")[0]
    read = set(re.findall(r"\b(?:raw|told|progress)\??\.([a-z][a-z_0-9]*)", body))
    assert read
    assert read <= {name for one in fields for name in get_type_hints(one)}


def test_the_sentence_never_makes_up_good_news(page: Page) -> None:
    """Every state of up to two projects: only what is ready, fresh and undegraded is called fresh."""
    kinds = [
        {"state": state, "index": None if phase is None else index(phase, fresh, pending, degraded)}
        for state in ("new", "cloning", "indexing", "ready", "missing", "failed", "removing")
        for phase in (None, "scanning", "indexing", "rebuilding", "watching", "idle", "failed")
        for fresh in (True, False)
        for pending, degraded in ((0, []), (3, []), (0, ["unwatched"]))
    ]
    some = kinds[:: len(kinds) // 40]
    cases = [[one] for one in kinds] + [list(pair) for pair in itertools.product(some, some)]
    told = page.evaluate(
        """async (cases) => {
             const [{ headline }, shape] = [await import("/headline.js"), await import("/shape.js")];
             const link = { state: "live", told: 1000 };
             return cases.map((raw) => {
               const of = (one, at) => shape.project({ ...one, id: String(at), name: `p${at}` });
               const known = { loaded: true, projects: new Map(raw.map(of).map((one) => [one.id, one])) };
               const at = (state, age) => headline({ ...known, link: { ...link, state } }, 1000 + age);
               return [at("live", 0).kind, at("live", 21).kind, at("lost", 0).kind];
             });
           }""",
        cases,
    )
    for case, (kind, silent, lost) in zip(cases, told, strict=True):
        assert (kind == "fresh") == all(truly_fresh(one) for one in case), case
        assert (silent, lost) == ("silent", "lost")


def index(phase: str, fresh: bool, pending: int, degraded: list[str]) -> dict[str, Any]:
    return {"phase": phase, "fresh": fresh, "pending": pending, "degraded": degraded, "progress": None}


def truly_fresh(project: dict[str, Any]) -> bool:
    told = project["index"]
    working = {"scanning", "indexing", "rebuilding"}
    return bool(
        project["state"] == "ready"
        and told
        and told["fresh"]
        and told["phase"] not in working
        and not told["degraded"]
    )


# --- the modules, and what is shipped ----------------------------------------------------------------------


def test_events_are_read_however_they_are_cut(page: Page) -> None:
    wire = 'id: 7\nevent: job\ndata: {"a": 1}\n\n: ping\n\n'
    wire += "data: two\ndata: lines\r\n\r\nevent: x\nid: 8\ndata:é\n\n"
    wanted = [["job", '{"a": 1}'], ["message", "two\nlines"], ["x", "é"]]
    told = page.evaluate(
        """async (wire) => {
             const { Events } = await import("/stream.js");
             const all = [];
             for (let size = 1; size <= wire.length; size += 1) {
               const events = new Events();
               const found = [];
               for (let at = 0; at < wire.length; at += size) {
                 found.push(...events.feed(wire.slice(at, at + size)));
               }
               all.push([events.lastId, found.map((one) => [one.type, one.data])]);
             }
             return all;
           }""",
        wire,
    )
    assert len(told) == len(wire)
    assert [one for one in told if one != ["8", wanted]] == []


def test_drawing_anew_gives_what_was_wanted_and_keeps_what_stays(page: Page) -> None:
    """`morph` from any list to any other: the result, and nodes of the same key are the same nodes."""
    lists = [list(one) for size in range(4) for one in itertools.permutations("abcd", size)]
    wrong = page.evaluate(
        """async (lists) => {
             const { h, morph } = await import("/dom.js");
             const one = (key, title) => h("i", { "data-key": key, title }, key, h("b", {}, key));
             const make = (keys) => keys.map((key) => one(key, keys.join("")));
             const wrong = [];
             for (const before of lists) for (const after of lists) {
               const place = document.createElement("p");
               morph(place, make(before));
               const known = new Map([...place.children].map((node) => [node.dataset.key, node]));
               const watcher = new MutationObserver(() => {});
               watcher.observe(place, { childList: true });
               morph(place, make(after));
               const gone = new Set(watcher.takeRecords().flatMap((one) => [...one.removedNodes]));
               const stay = (these, others) => these.filter((one) => others.includes(one)).join();
               // Moving takes the focus away: who stays in its order must not be taken out even for a moment.
               const moved = stay(before, after) === stay(after, before)
                 && after.some((key) => gone.has(known.get(key)));
               const wanted = document.createElement("p");
               wanted.append(...make(after));
               const same = (node) => (known.get(node.dataset.key) ?? node) === node;
               const kept = [...place.children].every(same);
               if (place.innerHTML !== wanted.innerHTML || !kept || moved) wrong.push([before, after]);
             }
             return wrong;
           }""",
        lists,
    )
    assert wrong == []


FIGURES = {
    "span(0.0042)": "4 ms",
    "span(9.94)": "9.9 s",
    "span(9.96)": "10 s",
    "span(59.6)": "1 min",
    "span(192)": "3 min 12 s",
    "span(3599.7)": "1 h",
    "span(90000)": "1 d 1 h",
    "span(null)": "\N{EN DASH}",
    "number(79112)": "79,112",
    "number(0.25)": "0.3",
    "count(1, 'file')": "1 file",
    "count(0, 'file')": "0 files",
    "bytes(1536)": "1.5 KiB",
    "away(100, 101)": "now",
    "away(0, 7300)": "2 h ago",
    "away(130, 100)": "in 30 s",
    "instant('1970-01-01T00:01:00Z')": 60,
    "instant('soon')": None,
    "taskName('OptimizeIndex')": "optimize index",
    "rhythm({enabled: true, interval: 900})": "every 15 min",
    "rhythm({enabled: true, interval: 86400})": "every 1 d",
    "rhythm({enabled: true, interval: 194400})": "every 2 d 6 h",
    "rhythm({enabled: false, interval: 900})": "never by itself",
    "rhythm({enabled: true, interval: 0})": "never by itself",
}


def test_figures_are_written_as_people_read_them(page: Page) -> None:
    told = page.evaluate(
        """async (calls) => {
             const all = { ...(await import("/format.js")), ...(await import("/upkeep.js")) };
             const run = (call) => new Function(...Object.keys(all), `return ${call}`)(...Object.values(all));
             return calls.map(run);
           }""",
        list(FIGURES),
    )
    assert dict(zip(FIGURES, told, strict=True)) == FIGURES


def test_charts_have_gaps_where_nothing_was_known(page: Page) -> None:
    told = page.evaluate(
        """async () => {
             const { runs, ceiling, trace } = await import("/chart.js");
             const range = { minutes: 10, length: 10 };
             const drawn = trace("Files", [1, 2, null, null, 4], range);
             return [
               runs([null, 1, 2, null, 3, null]),
               [0, 1, 3, 5, 6, 11, 999, 1001].map(ceiling),
               drawn.querySelectorAll("path.line").length,
               drawn.querySelector("svg").getAttribute("aria-label"),
               trace("Files", [], range).querySelector("svg").getAttribute("aria-label"),
             ];
           }"""
    )
    assert told == [
        [[[1, 1], [2, 2]], [[4, 3]]],
        [1, 1, 5, 5, 10, 20, 1000, 2000],
        2,
        "Files, last 10 minutes: now 4, at most 4, with gaps while not connected.",
        "Files: nothing known yet.",
    ]


def test_definitions_stand_inside_what_encloses_them(page: Page) -> None:
    lines = [(1, 50), (5, 10), (6, 9), (12, 40), (13, 13), (60, 60)]
    told = page.evaluate(
        """async (lines) => {
             const { nested } = await import("/file.js");
             return nested(lines.map(([start, end]) => ({ start, end }))).map(({ depth }) => depth);
           }""",
        lines,
    )
    assert told == [sum(a <= s and e <= b and (a, b) != (s, e) for a, b in lines) for s, e in lines]


def test_every_file_is_used_and_nothing_needs_a_laxer_policy() -> None:
    """No inline script or style, no address elsewhere, no file that nobody names, no room too large."""
    files = {one.name: one.read_text() for one in PAGE.iterdir()}
    named = {"index.html", "denied.html"}  # the service names these
    for name, text in files.items():
        assert len(text.splitlines()) <= 400, name
        if name.endswith((".js", ".html")):
            named |= set(re.findall(r'(?:from "\./|src="|href=")([\w.]+)"', text))
        assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", text), name
        assert not re.search(r"innerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", text), (
            name
        )
        assert not re.search(r'"style"|\.style\b|@import|\bon\w+="', text), name
    assert named == set(files)
    html = files["index.html"]
    assert not re.search(r"<style|\sstyle=|<script(?![^>]*\ssrc=)", html)
    assert sum(len(text) for text in files.values()) < 200_000


@given(st.lists(st.lists(st.binary(min_size=1, max_size=6) | st.text(min_size=1, max_size=4), max_size=4)))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_path_goes_into_an_address_and_comes_back(page: Page, names: list[list[bytes | str]]) -> None:
    """What the service reads out of the address (see `exact_path` there) is the path that it told."""
    parts = [
        b"".join(os.fsencode(part) if isinstance(part, str) else part for part in name) for name in names
    ]
    paths = [os.fsdecode(part.replace(b"\0", b"")) for part in parts]
    told = page.evaluate(
        """async (paths) => {
             const { encodePath, decodePath } = await import("/api.js");
             return paths.map((text) => {
               const path = JSON.parse(text);
               return [encodePath(path), decodePath(encodePath(path)) === path];
             });
           }""",
        [json.dumps(path) for path in paths],
    )
    for path, (encoded, same) in zip(paths, told, strict=True):
        assert os.fsdecode(unquote_to_bytes(encoded)) == path
        assert same, path
        assert re.fullmatch(r"(?:[\w.!~*'()/-]|%[0-9A-F]{2})*", encoded, re.A)
