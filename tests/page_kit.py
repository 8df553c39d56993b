"""The web page for tests: a real `currant serve` in a process of its own, and Chromium to look at it with."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2 as httpx
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, sync_playwright

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
PATIENCE = 30.0
PATIENCE_MS = 1_000 * PATIENCE

# A service without patience, which does not care how busy the machine is: it would say that it holds back.
SETTINGS = {
    **{"jobs.poll_ms": 20, "jobs.backoff_base_s": 0.01, "budget.busy_percent": 0},
    **{"serve.soft_stop_s": 0.2, "serve.hard_stop_s": 5},
}


class Service:
    """`currant serve` with a home of its own. Starts again on the port that it had."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.port = 0
        self.process: subprocess.Popen[str] | None = None
        self.errors = home.with_suffix(".log")

    def start(self) -> None:
        """Returns once it listens."""
        command = [sys.executable, "-m", "currant", "serve", "--json", "--home", os.fspath(self.home)]
        command += ["--port", str(self.port)]
        for key, value in SETTINGS.items():
            command += ["--set", f"{key}={value}"]
        with self.errors.open("a") as errors:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
        assert self.process.stdout is not None
        with self.process.stdout as told:
            line = told.readline()
        assert line, self.errors.read_text()
        self.port = httpx.URL(json.loads(line)["url"]).port or 0

    def stop(self) -> None:
        """As a user would, with SIGTERM."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGCONT)
        self.process.terminate()
        self.process.wait(PATIENCE)
        self.process = None

    def signal(self, number: int) -> None:
        """Send a signal to the process."""
        assert self.process is not None
        self.process.send_signal(number)

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://127.0.0.1:{self.port}/"

    @property
    def token(self) -> str:
        """The secret of this home."""
        return (self.home / "token").read_text().strip()

    def ask(self, method: str, path: str, **more: Any) -> Any:
        """The JSON of one request with the token."""
        headers = {"Authorization": f"Bearer {self.token}"}
        answer = httpx.request(
            method, self.url + path, headers=headers, timeout=PATIENCE, trust_env=False, **more
        )
        assert answer.is_success, answer.text
        return answer.json()


@contextmanager
def serving(home: Path) -> Iterator[Service]:
    """A service that runs."""
    service = Service(home)
    service.start()
    try:
        yield service
    finally:
        service.stop()


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, without a window."""
    assert os.access(CHROMIUM, os.X_OK), f"{CHROMIUM} is missing: apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Watched:
    """What a page did besides being looked at."""

    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def request(self, request: Request) -> None:
        self.requests.append(request.url)

    def console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def error(self, error: Any) -> None:
        self.complaints.append(str(error))


@contextmanager
def looking(browser: Browser, url: str, *, expected: tuple[str, ...] = (), **options: Any) -> Iterator[Page]:
    """A page of a browser profile of its own. Fails at the end if it asked anybody but the service for
    anything, or if the console has an error, a warning or a violation of the content policy that does not
    contain one of `expected`."""
    context: BrowserContext = browser.new_context(**{"viewport": {"width": 1280, "height": 860}, **options})
    context.set_default_timeout(PATIENCE_MS)
    watched = Watched()
    context.on("request", watched.request)
    context.on("console", watched.console)
    context.on("weberror", watched.error)
    try:
        page = context.new_page()
        yield page
        page.close()
    finally:
        context.close()
    elsewhere = [one for one in watched.requests if not one.startswith((url, "data:"))]
    assert not elsewhere, elsewhere
    wrong = [one for one in watched.complaints if not any(known in one for known in expected)]
    assert not wrong, wrong


def controls(page: Page) -> list[tuple[str, str]]:
    """Role and name of everything that assistive technology sees and that should have a name."""
    wanted = {
        *("button", "link", "textbox", "searchbox", "combobox", "progressbar", "image", "dialog", "table"),
        *("region", "navigation", "complementary", "search", "log"),
    }
    session = page.context.new_cdp_session(page)
    tree = session.send("Accessibility.getFullAXTree")
    session.detach()
    found = []
    for node in tree["nodes"]:
        role = node.get("role", {}).get("value", "")
        if not node.get("ignored") and role in wanted:
            found.append((role, node.get("name", {}).get("value", "")))
    return found


# Every text that is shown, with the colour it has and the one that is behind it, as 0-255 triples.
_COLOURS = """() => {
  const parse = (text) => text.match(/[\\d.]+/g).map(Number);
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const [r, g, b, a = 1] = parse(getComputedStyle(at).backgroundColor);
      if (a === 1) return [r, g, b];
    }
    return [255, 255, 255];
  };
  const found = new Map();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    const text = walker.currentNode.data.trim();
    if (!text || !element.checkVisibility({ visibilityProperty: true }) || element.closest(".skip")) continue;
    const style = getComputedStyle(element);
    const key = [style.color, behind(element).join(), style.fontSize].join(";");
    const size = parseFloat(style.fontSize);
    found.set(key, { text, color: parse(style.color), behind: behind(element), size });
  }
  return [...found.values()];
}"""


def contrasts(page: Page) -> list[tuple[float, float, str]]:
    """Contrast ratio (WCAG 2), letter size in pixels and text, for every pair of colours that shows text."""
    return [
        (contrast(one["color"], one["behind"]), one["size"], one["text"][:60])
        for one in page.evaluate(_COLOURS)
    ]


def contrast(one: list[float], other: list[float]) -> float:
    """The ratio of two colours, 1 to 21."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: list[float]) -> float:
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in (value / 255 for value in colour[:3])
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
