"""The web page as a person uses it: Chromium before a real service with real projects.

What the page says is held against the service and the disk. `test_page_parts.py` has what its modules decide.
"""

import re
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from conftest import GitRepo, isolate
from page_kit import PATIENCE_MS, Service, chromium, contrasts, controls, looking, serving

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
VIEWS = ("overview", "jobs", "upkeep")

SHOP: dict[str | bytes, str | bytes] = {
    "shop/cart.py": '''"""Owns the cart.

Nothing is paid here."""


class Cart:
    """What a customer wants."""

    def add(self, item):
        """Put one more in."""

    def total(self):
        return 0
''',
    "shop/pay.py": "from shop.cart import Cart\n\n\ndef charge(cart):\n    return cart.total()\n",
    b"odd/a#b?c%20d \xff.py": "def oddity(): pass\n",
    "docs/guide.md": "# The cart\n\nIt is in [cart.py](../shop/cart.py).\n\n- [x] one\n- [ ] two\n",
}

expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> GitRepo:
    root = tmp_path_factory.mktemp("projects") / "shop"
    root.mkdir()
    repo = GitRepo(root)
    repo.git("init", "--quiet", "--initial-branch=main")
    repo.write(SHOP)
    repo.commit()
    return repo


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        home = tmp_path_factory.mktemp("user")
        (home / "gitconfig").touch()
        isolate(monkeypatch, home)
        with serving(tmp_path_factory.mktemp("serve") / "home") as service:
            yield service


@pytest.fixture(scope="module")
def project(service: Service, repo: GitRepo) -> str:
    """A project that is fresh; its id."""
    added = service.ask("POST", "projects", json={"source": str(repo.root)})
    return str(added["project"]["id"])


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser, service: Service, project: str) -> Iterator[Page]:
    """The page, of who has the token, with one fresh project."""
    with looking(browser, service.url) as page:
        enter(page, service)
        expect(strip(page, "shop")).to_contain_text("fresh")
        yield page


def enter(page: Page, service: Service) -> None:
    """Open the address with the token."""
    page.goto(f"{service.url}?token={service.token}")
    assert page.url == service.url, "the token stays in no address"
    expect(page.locator("#link")).to_have_text("live")


def strip(page: Page, name: str) -> Any:
    """The project's part of the overview."""
    return page.locator(".strip").filter(has=page.get_by_role("link", name=name, exact=True))


def newest(page: Page, text: str) -> Any:
    """The newest job of this type and project."""
    return page.locator(".recent .job, .ledger .job").filter(has_text=text).first


def go(page: Page, view: str) -> None:
    """Follow the link of a view."""
    page.get_by_role("navigation").get_by_role("link", name=view.title()).click()
    expect(page.locator(f".view-{view}")).to_be_visible()


# --- what a person does -------------------------------------------------------------------------------


def test_the_overview_says_what_is_true(page: Page, service: Service, repo: GitRepo) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text("shop is fresh.")
    shown = strip(page, "shop")
    expect(shown).to_contain_text(str(repo.root))
    expect(shown).to_contain_text(f"{len(SHOP)} files")
    index = service.ask("GET", "projects")["projects"][0]["index"]
    expect(shown).to_contain_text(index["clock"])
    expect(page.get_by_role("img", name=re.compile("^Files per second, last 1 minute:"))).to_be_visible()


def test_a_change_on_disk_shows_without_a_reload(page: Page, repo: GitRepo) -> None:
    page.evaluate("window.here = true")
    repo.write({"shop/later.py": "def later(): pass\n"})
    expect(strip(page, "shop")).to_contain_text(f"{len(SHOP) + 1} files")
    expect(page.get_by_role("heading", level=1)).to_have_text("shop is fresh.")
    repo.path("shop/later.py").unlink()
    expect(strip(page, "shop")).to_contain_text(f"{len(SHOP)} files")
    assert page.evaluate("window.here") is True


def test_search_and_the_view_of_a_file(page: Page) -> None:
    page.get_by_role("searchbox").fill("total")
    hit = page.locator(".hit").first
    expect(hit).to_contain_text("total in Cart")
    expect(hit).to_contain_text("shop/cart.py:12")
    hit.get_by_role("link").click()
    opened = page.get_by_role("complementary")
    expect(opened.get_by_role("heading", level=2)).to_have_text("shop/cart.py")
    expect(opened).to_contain_text("as it is on disk")
    expect(opened).to_contain_text("Owns the cart.")
    expect(opened.locator("[aria-current]")).to_contain_text("total")
    expect(opened).to_contain_text("Named by 1")
    # References lead on, and back is back.
    opened.get_by_role("link", name="docs/guide.md:3").click()
    expect(opened.get_by_role("heading", level=2)).to_have_text("docs/guide.md")
    opened.get_by_role("link", name="../shop/cart.py").click()
    expect(opened.get_by_role("heading", level=2)).to_have_text("shop/cart.py")
    page.go_back()
    expect(opened.get_by_role("heading", level=2)).to_have_text("docs/guide.md")


def test_results_and_an_open_file_follow_the_disk(
    browser: Browser, service: Service, project: str, repo: GitRepo
) -> None:
    with looking(browser, service.url, expected=("404",)) as page:
        enter(page, service)
        follow_the_disk(page, repo)


def follow_the_disk(page: Page, repo: GitRepo) -> None:
    repo.write({"shop/till.py": "def ring():\n    pass\n"})
    page.get_by_role("searchbox").fill("ring")
    expect(page.locator(".hit").first).to_contain_text("shop/till.py:1")
    page.locator(".hit").first.get_by_role("link").click()
    opened = page.get_by_role("complementary")
    expect(opened).to_contain_text("1 definition")
    repo.write({"shop/till.py": "import os\n\n\ndef ring():\n    pass\n\n\ndef ring_off(): pass\n"})
    expect(page.locator(".hit").first).to_contain_text("shop/till.py:4")
    expect(page.locator(".hit")).to_have_count(2)
    expect(opened).to_contain_text("2 definitions")
    repo.path("shop/till.py").unlink()
    expect(page.get_by_text("No definition is called that")).to_be_visible()
    expect(opened).to_contain_text("the index holds no file")


def test_files_that_could_not_be_indexed_are_listed_with_reasons(page: Page, project: str) -> None:
    """Which files cannot be read depends on the machine: here the answers are changed on their way."""

    def failing(route: Route) -> None:
        told = route.fetch().json()
        told["projects"][0]["index"] |= {"failed": 1, "degraded": ["failed_files"]}
        route.fulfill(json=told)

    row = {"path": "a/b.bin", "reason": "Input/output error", "attempts": 2, "retry_at": None, "seen_at": 1.0}
    page.route("**/projects", failing)
    page.route("**/failures?*", lambda route: route.fulfill(json={"failures": [row], "next": None}))
    page.reload()
    expect(page.locator(".failures")).to_contain_text("a/b.bin")
    expect(page.locator(".failures")).to_contain_text("Input/output error")
    expect(page.get_by_role("heading", level=1)).to_have_text("Fresh, but shop is degraded.")
    strip(page, "shop").get_by_role("link", name="1 failed").click()
    expect(page.get_by_role("complementary").locator(".failed-files")).to_contain_text("Input/output error")


def test_a_file_of_any_name_can_be_opened(page: Page) -> None:
    """With what addresses have a meaning for, and a byte that is no UTF-8."""
    page.get_by_role("searchbox").fill("oddity")
    page.locator(".hit").first.get_by_role("link").click()
    opened = page.get_by_role("complementary")
    expect(opened).to_contain_text("as it is on disk")
    expect(opened.get_by_role("heading", level=2)).to_contain_text("odd/a#b?c%20d ")
    expect(opened.locator("[aria-current]")).to_contain_text("oddity")
    page.reload()
    expect(opened.locator("[aria-current]")).to_contain_text("oddity")


def test_search_narrows_and_says_when_there_is_nothing(page: Page) -> None:
    page.get_by_role("searchbox").fill("cart")
    expect(page.locator(".hit").filter(has_text="class Cart")).to_have_count(1)
    page.get_by_label("Language").select_option("markdown")
    expect(page.locator(".hit").filter(has_text="class Cart")).to_have_count(0)
    expect(page.locator(".hit").filter(has_text="docs/guide.md:1")).to_have_count(1)
    page.get_by_role("searchbox").fill("zzz-no-such-thing")
    expect(page.get_by_text("No definition is called that")).to_be_visible()
    page.get_by_role("button", name="Close the search").click()
    expect(page.locator(".view-overview")).to_be_visible()


def test_a_refresh_goes_through_and_is_in_the_history(page: Page, service: Service) -> None:
    before = service.ask("GET", "jobs?type=refresh")["jobs"]
    page.get_by_role("button", name="Refresh shop").click()
    expect(page.get_by_role("log")).to_contain_text("shop will be refreshed.")
    expect(newest(page, "refresh shop")).to_contain_text("completed")
    expect(page.get_by_role("button", name="Refresh shop")).to_be_enabled()
    after = service.ask("GET", "jobs?type=refresh")["jobs"]
    assert len(after) == len(before) + 1
    strip(page, "shop").get_by_role("link", name="shop", exact=True).click()
    opened = page.get_by_role("complementary")
    expect(opened.locator(".job").filter(has_text="refresh").first).to_contain_text("completed")
    opened.locator(".job").filter(has_text="refresh").first.get_by_role("link").click()
    expect(opened.get_by_role("heading", level=2)).to_have_text("refresh of shop")
    expect(opened).to_contain_text(after[0]["id"])


def test_a_job_that_failed_says_why_and_is_retried(page: Page, tmp_path: Path) -> None:
    """A repository that is not there; then it is."""
    page.get_by_role("button", name="Add project").click()
    page.get_by_label("Directory on this machine, or a git URL").fill(f"file://{tmp_path}/late.git")
    page.get_by_label("Name").fill("late")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(strip(page, "late")).to_contain_text("failed")
    expect(page.get_by_role("heading", level=1)).to_have_text("late is not being indexed.")
    expect(page.locator(".failures .job")).to_contain_text("late.git")
    failed = newest(page, "project processing late")
    expect(failed).to_contain_text("failed")
    late = GitRepo(tmp_path / "late.git")
    late.root.mkdir()
    late.git("init", "--quiet", "--initial-branch=main")
    late.write({"late.py": "def better_than_never(): pass\n"})
    late.commit()
    failed.get_by_role("button", name="Retry").click()
    expect(newest(page, "project processing late")).to_contain_text("completed")
    expect(strip(page, "late")).to_contain_text("1 file")
    expect(page.get_by_role("heading", level=1)).to_have_text("All 2 projects are fresh.")
    remove(page, "late")


def test_a_list_of_jobs_that_an_event_overtook_is_asked_for_again(page: Page) -> None:
    held: list[Route] = []
    page.route("**/jobs?*", lambda route: route.continue_() if held else held.append(route))
    with page.expect_request("**/jobs?*"):
        page.get_by_role("button", name="Refresh shop").click()
    while not held:
        page.wait_for_timeout(1)  # has Playwright call the function above
    body: dict[str, Any] = {"jobs": [{}]}
    while body["jobs"][0].get("status") != "completed":
        body = held[0].fetch().json()
    last, *others = body["jobs"]
    tell = "async ([path, job]) => (await import(path)).apply('job', job)"
    page.evaluate(tell, [urljoin(page.url, "load.js"), last])
    expect(newest(page, "refresh shop")).to_contain_text("completed")
    held[0].fulfill(json={**body, "jobs": [{**last, "status": "processing", "finished_at": None}, *others]})
    expect(newest(page, "refresh shop")).to_contain_text("processing")
    expect(newest(page, "refresh shop")).to_contain_text("completed")


def remove(page: Page, name: str) -> None:
    page.get_by_role("button", name=f"Remove {name}").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(strip(page, name)).to_have_count(0)


def test_a_running_job_is_cancelled(page: Page, service: Service) -> None:
    """A git server that takes the connection and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        page.get_by_role("button", name="Add project").click()
        page.get_by_label("Directory").fill(f"git://127.0.0.1:{silent.getsockname()[1]}/stuck.git")
        page.keyboard.press("Enter")
        job = newest(page, "project processing stuck")
        expect(job).to_contain_text("processing", use_inner_text=True)
        expect(strip(page, "stuck")).to_contain_text("being cloned")
        job.get_by_role("button", name="Cancel").click()
        expect(newest(page, "project processing stuck")).to_contain_text("cancelled")
        (told,) = service.ask("GET", "jobs?project=stuck&type=project_processing")["jobs"]
        assert told["status"] == "cancelled"
        remove(page, "stuck")


def test_what_cannot_be_added_is_said_and_stays_in_the_form(
    browser: Browser, service: Service, project: str
) -> None:
    with looking(browser, service.url, expected=("Failed to load resource",)) as page:
        enter(page, service)
        page.get_by_role("button", name="Add project").click()
        page.get_by_label("Directory").fill("/no/such/place")
        page.get_by_role("button", name="Add", exact=True).click()
        expect(page.get_by_role("alert")).to_contain_text("/no/such/place")
        expect(page.get_by_label("Directory")).to_have_value("/no/such/place")
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)


def test_the_ledger_is_filtered(page: Page, service: Service) -> None:
    go(page, "jobs")
    everything = service.ask("GET", "jobs?limit=100")["jobs"]
    expect(page.locator(".ledger .job")).to_have_count(len(everything))
    for status in ("completed", "cancelled"):
        page.get_by_label("Status").select_option(status)
        wanted = [job for job in everything if job["status"] == status]
        expect(page.locator(".ledger .job")).to_have_count(len(wanted))
    page.get_by_label("Status").select_option("")
    page.get_by_label("Type").select_option("refresh")
    expect(page.locator(".ledger .job").filter(has_text="project processing")).to_have_count(0)
    page.get_by_label("Project", exact=True).select_option("shop")
    page.get_by_role("button", name="Clear the filter").click()
    expect(page.locator(".ledger .job")).to_have_count(len(everything))


def test_upkeep_shows_its_statistics_and_runs_a_task(page: Page, service: Service) -> None:
    go(page, "upkeep")
    table = page.get_by_role("table", name="Maintenance tasks")
    expect(table.get_by_role("row")).to_have_count(6)  # with the heads
    row = table.get_by_role("row").filter(has_text="optimize index")
    before = int(row.get_by_role("cell").nth(1).inner_text().replace(",", ""))
    row.get_by_role("button", name="Run optimize index now").click()
    expect(row.get_by_role("cell").nth(1)).to_have_text(str(before + 1))
    schedules = page.get_by_role("table", name="Schedules")
    row = schedules.get_by_role("row").filter(has_text="retention")
    expect(row).to_contain_text("every 1 h")
    expect(schedules.get_by_role("row").filter(has_text="sync projects")).to_contain_text("every 15 min")
    row.get_by_role("button", name="Pause retention").click()
    expect(row).to_contain_text("paused")
    row.get_by_role("button", name="Resume retention").click()
    expect(row).not_to_contain_text("paused")


def test_refreshes_are_limited_and_the_page_says_until_when(
    browser: Browser, service: Service, project: str
) -> None:
    with looking(browser, service.url, expected=("429",)) as page:
        enter(page, service)
        for _ in range(6):
            page.get_by_role("button", name="Refresh shop").click()
            said = page.get_by_role("log").get_by_text(re.compile("Try again in|will be refreshed"))
            expect(said.first).to_be_visible()
            expect(page.get_by_role("button", name="Refresh shop")).to_be_enabled()
            if page.get_by_text("Try again in").count():
                break
        expect(page.get_by_role("log")).to_contain_text("Try again in")
        page.get_by_role("button", name=re.compile("^Dismiss: .*Try again")).click()
        expect(page.get_by_text("Try again in")).to_have_count(0)


# --- the keyboard, small screens, colours ----------------------------------------------------------------


def test_the_keyboard_alone_is_enough(page: Page) -> None:
    press = page.keyboard.press
    press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    press("Escape")
    press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("charge")
    expect(page.locator(".hit").first).to_contain_text("shop/pay.py:4")
    press("ArrowDown")
    expect(page.locator(".hit").first.get_by_role("link")).to_be_focused()
    press("Enter")
    opened = page.get_by_role("complementary")
    expect(opened.get_by_role("heading", level=2)).to_be_focused()
    expect(opened.get_by_role("heading", level=2)).to_have_text("shop/pay.py")
    press("Escape")
    expect(opened).to_be_hidden()
    expect(page.locator(".hit").first.get_by_role("link")).to_be_focused()
    press("Escape")
    expect(page.locator(".view-overview")).to_be_visible()
    press("j")
    expect(strip(page, "shop").get_by_role("link", name="shop", exact=True)).to_be_focused()
    press("j")
    expect(page.locator(".recent .job").first.locator("[data-row]")).to_be_focused()
    press("k")
    press("Enter")
    expect(opened.get_by_role("heading", level=2)).to_have_text("shop")
    press("Escape")
    for key, view in zip("321", reversed(VIEWS), strict=True):
        press(key)
        expect(page.locator(f".view-{view}")).to_be_visible()
    press("a")
    expect(page.get_by_role("dialog", name="Add a project")).to_be_visible()
    expect(page.get_by_label("Directory")).to_be_focused()
    press("Escape")


def test_the_focus_stays_while_the_page_is_drawn_anew(page: Page, repo: GitRepo) -> None:
    button = page.get_by_role("button", name="Remove shop")
    button.focus()
    repo.write({"shop/more.py": "x = 1\n"})
    expect(strip(page, "shop")).to_contain_text(f"{len(SHOP) + 1} files")
    expect(button).to_be_focused()
    repo.path("shop/more.py").unlink()
    expect(strip(page, "shop")).to_contain_text(f"{len(SHOP)} files")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_control_has_a_name_and_every_text_has_contrast(
    browser: Browser, service: Service, project: str, scheme: str
) -> None:
    with looking(browser, service.url, color_scheme=scheme) as page:
        enter(page, service)
        for view in (*VIEWS, "project", "search", "help"):
            if view in VIEWS:
                go(page, view)
            elif view == "project":
                go(page, "overview")
                strip(page, "shop").get_by_role("link", name="shop", exact=True).click()
                expect(page.get_by_role("complementary")).to_contain_text("Languages")
            elif view == "search":
                page.get_by_role("searchbox").fill("cart")
                expect(page.locator(".hit").first).to_be_visible()
            else:
                page.get_by_role("button", name="Help").click()
            nameless = [(role, name) for role, name in controls(page) if not name.strip()]
            assert nameless == [], view
            weak = [one for one in contrasts(page) if one[0] < (3 if one[1] >= 24 else 4.5)]
            assert weak == [], view
        page.keyboard.press("Escape")
        expect(page.locator("html")).to_have_css(
            "background-color", "rgb(231, 234, 233)" if scheme == "light" else "rgb(14, 17, 18)"
        )


def test_the_theme_is_chosen_and_kept(page: Page) -> None:
    button = page.locator("#theme")
    expect(button).to_have_accessible_name("Theme: system")
    button.click()
    button.click()
    expect(button).to_have_accessible_name("Theme: dark")
    page.reload()
    expect(button).to_have_accessible_name("Theme: dark")
    expect(page.locator("html")).to_have_css("background-color", "rgb(14, 17, 18)")
    button.click()
    expect(button).to_have_accessible_name("Theme: system")


def test_a_phone_shows_everything_without_scrolling_sideways(
    browser: Browser, service: Service, project: str
) -> None:
    with looking(browser, service.url, reduced_motion="reduce", **PHONE) as page:
        enter(page, service)
        for view in VIEWS:
            go(page, view)
            assert width(page) <= 390, view
        go(page, "overview")
        strip(page, "shop").get_by_role("link", name="shop", exact=True).tap()
        opened = page.get_by_role("complementary")
        expect(opened).to_be_visible()
        assert opened.bounding_box() == {"x": 0, "y": 0, "width": 390, "height": 844}
        page.get_by_role("button", name="Close the inspector").tap()
        expect(opened).to_be_hidden()
        page.get_by_role("searchbox").fill("cart")
        expect(page.locator(".hit").first).to_be_visible()
        assert width(page) <= 390
        small = page.evaluate(
            """() => [...document.querySelectorAll("button, select, input")]
                .filter((one) => one.checkVisibility())
                .map((one) => [one.textContent, one.getBoundingClientRect()])
                .filter(([, box]) => box.height < 24 || box.width < 24).map(([text]) => text)"""
        )
        assert small == []


def width(page: Page) -> int:
    return int(page.evaluate("document.scrollingElement.scrollWidth"))


def test_nothing_moves_for_who_asked_for_that(browser: Browser, service: Service, project: str) -> None:
    with looking(browser, service.url, reduced_motion="reduce") as page:
        enter(page, service)
        page.evaluate("document.querySelector('.lamp').className = 'lamp lamp-busy'")
        assert page.evaluate("document.getAnimations().length") == 0


# --- never silently stale --------------------------------------------------------------------------------


def test_a_service_that_stops_is_shown_and_one_that_comes_back_is_found(
    browser: Browser, service: Service, project: str, repo: GitRepo
) -> None:
    with looking(browser, service.url, expected=("ERR_", "Failed to load")) as page:
        enter(page, service)
        expect(page.get_by_role("heading", level=1)).to_have_text("shop is fresh.")
        service.stop()
        expect(page.get_by_role("heading", level=1)).to_have_text("Not connected.")
        expect(page.locator(".truth")).to_contain_text("may be wrong by now")
        expect(page.locator("#link")).to_have_text("not connected")
        assert page.locator("html").get_attribute("data-link") == "lost"
        repo.write({"shop/meanwhile.py": "x = 1\n"})
        service.start()
        page.get_by_role("button", name="Try now").click()
        expect(page.locator("#link")).to_have_text("live")
        expect(page.get_by_role("heading", level=1)).to_have_text("shop is fresh.")
        expect(strip(page, "shop")).to_contain_text(f"{len(SHOP) + 1} files")
        repo.path("shop/meanwhile.py").unlink()
        expect(strip(page, "shop")).to_contain_text(f"{len(SHOP)} files")


def test_a_service_that_hangs_is_not_called_fresh(browser: Browser, service: Service, project: str) -> None:
    """A stopped process keeps its sockets: nothing ends, nothing comes. The browser's clock is turned on."""
    with looking(browser, service.url, expected=("ERR_", "Failed to load")) as page:
        page.clock.install()
        enter(page, service)
        expect(page.get_by_role("heading", level=1)).to_have_text("shop is fresh.")
        service.signal(signal.SIGSTOP)
        try:
            page.clock.fast_forward(25_000)
            expect(page.get_by_role("heading", level=1)).to_have_text(
                re.compile("The service has gone quiet|Not connected")
            )
            expect(page.locator(".truth")).to_contain_text("may be wrong by now")
        finally:
            service.signal(signal.SIGCONT)
        page.clock.fast_forward(25_000)
        expect(page.get_by_role("heading", level=1)).to_have_text("shop is fresh.")


INDEXING = {"done": 31, "total": 100, "files_per_second": 9.0, "eta_seconds": 26.2}
UNTOLD: list[tuple[dict[str, Any], str, str]] = [
    ({"fresh": False, "pending": 3}, "shop is 3 paths behind.", "3 paths behind"),
    ({"fresh": False}, "shop is not known to be fresh.", "not known to be fresh"),
    (
        {"fresh": False, "phase": "indexing", "progress": INDEXING},
        "shop: indexing, 31 of 100 files, 26 s left.",
        "indexing, 31 of 100 files",
    ),
]


def test_what_no_event_tells_is_seen_all_the_same(browser: Browser, service: Service, project: str) -> None:
    """That a full disk lets nothing be committed, say. The service's answer is changed on its way."""
    told: dict[str, Any] = {}

    def changed(route: Route) -> None:
        answer = route.fetch().json()
        answer["projects"][0]["index"] |= told
        route.fulfill(json=answer)

    with looking(browser, service.url) as page:
        page.clock.install()
        enter(page, service)
        expect(page.get_by_role("heading", level=1)).to_have_text("shop is fresh.")
        page.route("**/projects", changed)
        for told, sentence, word in [*UNTOLD, ({}, "shop is fresh.", "fresh")]:
            page.clock.fast_forward(6_000)
            expect(page.get_by_role("heading", level=1)).to_have_text(sentence)
            expect(strip(page, "shop")).to_contain_text(word)
            if "progress" in told:
                expect(strip(page, "shop").get_by_role("progressbar")).to_have_attribute("value", "31")
        page.unroute("**/projects")


def test_without_the_token_the_page_says_how_to_get_in(
    browser: Browser, service: Service, project: str
) -> None:
    with looking(browser, service.url, expected=("401",)) as page:
        page.goto(service.url)
        expect(page.get_by_role("main")).to_contain_text("currant serve --show-token")
        expect(page.get_by_role("heading", level=1)).to_have_css("font-size", "32px")  # its style is let in
        assert [one for one in contrasts(page) if one[0] < 4.5] == []
        page.get_by_label("Token").fill("not-the-token")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("is not the token")
        expect(page.get_by_label("Token")).to_have_value("")
        page.get_by_label("Token").fill(service.token)
        page.get_by_role("button", name="Let me in").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("shop is fresh.")
        assert page.url == service.url
        # When the cookie is not good any more, the page itself says so, and takes the token.
        page.context.clear_cookies()
        page.get_by_role("button", name="Refresh shop").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("This service wants its token.")
        expect(page.locator("#main")).to_contain_text("currant serve --show-token")
        page.get_by_label("Token").fill(service.token)
        page.get_by_role("button", name="Let me in").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("shop is fresh.")
        assert page.url == service.url


def test_the_policy_that_is_sent_is_strict(page: Page, service: Service) -> None:
    answer = page.request.get(service.url)
    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "default-src 'self'" in policy or "default-src 'none'" in policy
