"""The service over HTTP, as a client sees it: a real server on a port, a real hub, real indexes."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

import hub_kit
from conftest import Tree
from rest_kit import Served, serving

FRESH = {"clock", "fresh", "outstanding", "degraded", "progress"}
URN = "urn:currant:problem:"


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Served]:
    with serving(tmp_path / "home") as served:
        yield served


@pytest.fixture
def project(service: Served, tree: Tree) -> str:
    tree.write(
        {
            "src/config.py": '"""Owns the configuration."""\n\n\ndef parse_config(path):\n    pass\n',
            "src/main.py": "from config import parse_config\n\n\ndef main():\n    parse_config('a')\n",
            "docs/plan.md": "# Plan\n\n- [x] one\n- [ ] two: [it](../src/config.py), [none](gone.md)\n",
            "pyproject.toml": '[project]\nname = "shop"\ndependencies = ["fastapi"]\n',
            b"odd-\xff.py": "def odd():\n    pass\n",
        }
    )
    return service.add(tree.root)


def test_a_project_is_added_indexed_asked_and_removed(service: Served, tree: Tree) -> None:
    tree.write({"a.py": "def alpha():\n    pass\n"})
    answer = service.client.post("/projects", json={"source": str(tree.root), "name": "first"})
    assert answer.status_code == 202
    told = answer.json()
    assert answer.headers["location"] == f"/projects/{told['project']['id']}"
    assert (told["project"]["name"], told["job"]["type"]) == ("first", "project_processing")
    hub_kit.completed(service.hub, told["job"]["id"])

    hub_kit.until(service.hub, lambda: service.get("/projects/first")["state"] == "ready")
    one = service.get("/projects/first")
    assert one["index"]["files"] == 1
    assert one["index"]["fresh"]
    assert service.get("/projects")["projects"] == [service.get(f"/projects/{one['id']}")]
    found = service.get("/projects/first/find", params={"q": "alpha"})
    assert [row["path"] for row in found["definitions"]] == ["a.py"]
    assert service.client.post("/projects", json={"source": str(tree.root)}).json()["project"] == "first"

    assert service.client.delete("/projects/first").json()["state"] == "removing"
    hub_kit.until(service.hub, lambda: not service.hub.projects(), "the removal")
    assert service.get("/projects/first", 404)["type"] == f"{URN}no-such-project"
    assert tree.path("a.py").exists()


def test_every_question_about_an_index_says_its_clock_and_freshness(service: Served, project: str) -> None:
    base = f"/projects/{project}"
    found = service.get(f"{base}/find", params={"q": "config"})
    assert found["definitions"][0]["name"] == "parse_config"
    file = service.get(f"{base}/files/src/config.py")
    assert file["file"]["document"]["headerSections"]["intent"] == "Owns the configuration."
    record = service.get(f"{base}/record/src/config.py")
    assert record["record"] == file["file"]["document"]
    refs = service.get(f"{base}/refs/src/config.py")
    assert [row["path"] for row in refs["refs"]["incoming"]] == ["docs/plan.md"]
    why = service.get(f"{base}/why/src/config.py")
    assert why["why"]["cause"] == "scan"
    drift = service.get(f"{base}/drift")
    assert [row["target"] for row in drift["drift"]["findings"]] == ["gone.md"]
    progress = service.get(f"{base}/progress", params={"tasks": "open"})
    assert progress["task_progress"]["percent"] == 50.0
    assert progress["task_progress"]["tasks"][0]["text"].startswith("two")
    skills = service.get(f"{base}/skills")
    assert "python" in [row["language"] for row in skills["skills"]["languages"]]
    failures = service.get(f"{base}/failures")
    changes = service.get(f"{base}/changes")
    assert {row["path"] for row in changes["changes"]} >= {"src/config.py", "docs/plan.md"}
    status = service.get(f"{base}/status")
    assert status["status"]["index"]["files"] == 5
    for told in (found, file, record, refs, why, drift, progress, skills, failures, changes, status):
        assert told.keys() >= FRESH
        assert (told["fresh"], told["outstanding"], told["progress"]) == (True, [], None)
        assert told["clock"].startswith("c:")


def test_what_was_written_before_a_question_is_in_its_answer(
    service: Served, project: str, tree: Tree
) -> None:
    before = service.get(f"/projects/{project}/find", params={"q": "brand_new"})
    assert before["definitions"] == []
    tree.write({"src/new.py": "def brand_new():\n    pass\n"})
    after = service.get(f"/projects/{project}/find", params={"q": "brand_new", "sync_ms": 60_000})
    assert [row["path"] for row in after["definitions"]] == ["src/new.py"]
    changed = service.get(f"/projects/{project}/changes", params={"since": before["clock"]})
    assert [row["path"] for row in changed["changes"]] == ["src/new.py"]
    assert changed["next"] == after["clock"]


def test_a_name_that_is_not_utf8_goes_both_ways(service: Served, project: str) -> None:
    listed = [row["path"] for row in service.get(f"/projects/{project}/files")["files"]]
    assert os.fsdecode(b"odd-\xff.py") in listed
    told = service.get(f"/projects/{project}/files/odd-%FF.py")
    assert os.fsencode(told["file"]["path"]) == b"odd-\xff.py"


def test_pages_follow_one_another_while_files_come_and_go(service: Served, tree: Tree) -> None:
    tree.write({f"d{number % 3}/f{number:03}.txt": "x" for number in range(50)})
    project = service.add(tree.root)
    seen: list[str] = []
    cursor = None
    while True:
        params = {"limit": 7, "sync_ms": 60_000} | ({} if cursor is None else {"cursor": cursor})
        page = service.get(f"/projects/{project}/files", params=params)
        seen += [row["path"] for row in page["files"]]
        if (cursor := page["next"]) is None:
            break
        # What is gone from pages that were read, or comes into them, moves no later page.
        tree.path(seen[0]).unlink(missing_ok=True)
        tree.write({f"a/{len(seen)}.txt": "y"})
    assert seen == sorted(seen)
    assert len(seen) == len(set(seen)) == 50
    below = service.get(f"/projects/{project}/files", params={"under": "d1"})["files"]
    assert [row["path"] for row in below] == [path for path in seen if path.startswith("d1/")]


def test_jobs_are_listed_by_pages_looked_at_retried_and_cancelled(service: Served, project: str) -> None:
    listed = service.get("/jobs")["jobs"]
    one, rest = service.get("/jobs", params={"limit": 1}), []
    while one["next"] is not None:
        rest += one["jobs"]
        one = service.get("/jobs", params={"limit": 1, "cursor": one["next"]})
    assert [job["id"] for job in rest + one["jobs"]] == [job["id"] for job in listed]
    assert service.get(f"/projects/{project}/jobs")["jobs"] == listed
    job = next(job for job in listed if job["type"] == "project_processing")
    assert service.get(f"/jobs/{job['id']}") == job
    assert service.get("/jobs", params={"status": "failed"})["jobs"] == []

    answer = service.client.get(f"/jobs/{job['id']}/status")
    state = answer.json()
    assert (state["status"], state["project_id"], state["error"]) == ("completed", project, None)
    assert state["result"]["tasks_count"] == 2
    assert state["result"]["progress_percentage"] == 50.0
    again = service.client.get(f"/jobs/{job['id']}/status", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")

    for call in (
        service.client.delete(f"/jobs/{job['id']}"),
        service.client.post(f"/jobs/{job['id']}/retry"),
    ):
        assert call.status_code == 409
        assert call.json()["type"] == f"{URN}conflict"
    for path in ("/jobs/none", "/jobs/none/status"):
        assert service.get(path, 404)["type"] == f"{URN}no-such-job"
    assert service.client.post("/jobs/none/retry").status_code == 404
    assert service.client.delete("/jobs/none").status_code == 404


def test_what_waits_is_cancelled_and_tried_again(service: Served, project: str) -> None:
    service.hub.queue.pause()
    job = service.client.post(f"/projects/{project}/refresh").json()["job_id"]
    cancelled = service.client.delete(f"/jobs/{job}")
    assert (cancelled.status_code, cancelled.json()["outcome"]) == (200, "cancelled")
    assert service.client.delete(f"/jobs/{job}").status_code == 409
    again = service.client.post(f"/jobs/{job}/retry")
    assert again.status_code == 202
    assert again.headers["location"] == f"/jobs/{again.json()['job_id']}/status"
    assert service.get(f"/jobs/{again.json()['job_id']}")["status"] == "pending"
    service.hub.queue.resume()
    hub_kit.completed(service.hub, again.json()["job_id"])


def test_a_job_of_a_removed_project_is_not_tried_again(service: Served, tmp_path: Path) -> None:
    """It could only fail, and `error` would say that instead of what went wrong."""
    service.hub.queue.pause()
    told = service.client.post("/projects", json={"source": (tmp_path / "nowhere").as_uri()}).json()
    job = told["job"]["id"]
    assert service.client.delete(f"/projects/{told['project']['id']}").status_code < 300
    before = service.get(f"/jobs/{job}")
    refused = service.client.post(f"/jobs/{job}/retry")
    assert refused.status_code == 409
    assert "removed" in refused.json()["detail"]
    assert service.get(f"/jobs/{job}") == before


def test_a_clone_that_cannot_be_fetched_is_not_stale_in_silence(service: Served, project: str) -> None:
    with service.hub.database.write() as connection:
        connection.execute("UPDATE project SET kind = 'git' WHERE id = ?1 OR name = ?1", (project,))
        (found,) = connection.execute("SELECT id FROM project").fetchone()
    service.hub.ledger.fetched(found, "git fetch failed")
    for path in ("find?q=main", "files", "changes", "status"):
        assert "origin_unreachable" in service.get(f"/projects/{project}/{path}")["degraded"], path
    (told,) = service.get("/projects")["projects"]
    assert "origin_unreachable" in told["index"]["degraded"]
    assert "origin_unreachable" in service.get(f"/projects/{project}")["index"]["degraded"]
    service.hub.ledger.fetched(found)
    assert "origin_unreachable" not in service.get(f"/projects/{project}/find?q=main")["degraded"]


def test_head_is_get_without_the_body(service: Served, project: str) -> None:
    for path in ("/projects", "/healthz", f"/projects/{project}/find?q=load", "/", "/openapi.json"):
        got, head = service.client.get(path), service.client.head(path)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-type"] == got.headers["content-type"]
    for path in ("/events", f"/projects/{project}/events"):  # a stream has an end here
        head = service.client.head(path)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-type"].startswith("text/event-stream")
    assert service.client.head("/projects/none").status_code == 404
    refused = service.client.head("/jobs/none/retry")
    assert (refused.status_code, refused.headers["allow"]) == (405, "POST")
    assert service.client.put("/projects").headers["allow"] == "GET, HEAD, POST"


def test_the_sixth_refresh_within_five_minutes_has_to_wait(service: Served, project: str) -> None:
    statuses = []
    for _ in range(5):
        answer = service.client.post(f"/projects/{project}/refresh")
        statuses.append(answer.status_code)
        hub_kit.finished(service.hub, answer.json()["job_id"])
    assert statuses == [202] * 5
    refused = service.client.post(f"/projects/{project}/refresh")
    assert refused.status_code == 429
    told = refused.json()
    assert told["type"] == f"{URN}rate-limited"
    assert 0 < told["retry_after"] <= 300
    assert int(refused.headers["retry-after"]) >= told["retry_after"]


def test_a_refresh_that_waits_already_is_named_and_not_doubled(service: Served, project: str) -> None:
    service.hub.queue.pause()
    first = service.client.post(f"/projects/{project}/refresh")
    second = service.client.post(f"/projects/{project}/refresh")
    assert (first.status_code, second.status_code) == (202, 200)
    assert first.json()["job_id"] == second.json()["job_id"]
    assert (first.json()["created"], second.json()["created"]) == (True, False)


@pytest.mark.parametrize(
    ("path", "status", "slug"),
    [
        ("/projects/none/find?q=a", 404, "no-such-project"),
        ("/projects/{}/files/none.py", 404, "no-such-file"),
        ("/projects/{}/refs/none.py", 404, "no-such-file"),
        ("/projects/{}/find?q=a&limit=0", 422, "bad-request"),
        ("/projects/{}/find", 422, "bad-request"),
        ("/projects/{}/changes?since=yesterday", 422, "bad-request"),
        ("/projects/{}/files?cursor=%21%21", 422, "bad-request"),
        ("/projects/{}/drift?kind=none", 422, "bad-request"),
        ("/none", 404, "not-found"),
    ],
)
def test_errors_are_problem_details(service: Served, project: str, path: str, status: int, slug: str) -> None:
    answer = service.client.get(path.format(project))
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert (answer.status_code, told["status"], told["type"]) == (status, status, URN + slug)
    assert told["instance"] == f"urn:currant:request:{answer.headers['x-request-id']}"
    assert told["detail"]


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"source": 1}', b'{"source": "x", "more": 1}', b"\xff"])
def test_a_body_that_is_none_is_refused_by_name(service: Served, body: bytes) -> None:
    answer = service.client.post("/projects", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    assert answer.json()["type"] == f"{URN}bad-request"
    assert service.get("/projects")["projects"] == []


def test_health_and_metrics(service: Served, project: str) -> None:
    assert service.get("/healthz") == {"status": "ok"}
    assert service.get("/readyz") == {"status": "ready", "reasons": []}
    health = service.get("/health/jobs")
    assert (health["status"], health["stuck_jobs"], health["database_connected"]) == ("healthy", 0, True)
    text = service.client.get("/metrics").text
    assert 'currant_index_fresh{project="tree"} 1.0' in text
    assert 'currant_jobs_finished_total{status="completed",type="project_processing"} 1.0' in text
    assert 'route="/projects/{project}"' not in text  # nobody has asked for one
    service.get(f"/projects/{project}")
    assert 'route="/projects/{project}"' in service.client.get("/metrics").text


def test_a_database_that_cannot_be_read_is_told_as_unhealthy(
    service: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = {"status": "unhealthy", "reasons": ["the disk is gone"], "queue_status": None}
    monkeypatch.setattr(
        service.hub.queue, "health", lambda _now: {**told, "stuck_jobs": None, "database_connected": False}
    )
    assert service.get("/health/jobs", 503)["reasons"] == ["the disk is gone"]
    ready = service.get("/readyz", 503)
    assert "disk" not in str(ready)  # asked without a token
