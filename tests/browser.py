"""A page in a real browser: chromium of the system, driven by playwright, with no network at all."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def executable() -> str:
    """Where the browser is; a test that finds none, or no playwright, names itself as left out."""
    pytest.importorskip("playwright.sync_api", reason="playwright is not installed: no page is looked at")
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("no chromium on the path: no page is looked at")
    return found


@contextmanager
def started() -> Iterator[Any]:
    """The browser."""
    path = executable()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


class Seen:
    """A page that was opened, and what it did that a page should not.

    Attributes
    ----------
    faults
        Errors, console messages, dialogs, and addresses that it asked for.
    """

    def __init__(self, browser: Any, path: Path, width: int = 1400) -> None:
        self.faults: list[str] = []
        self.page = browser.new_page(viewport={"width": width, "height": 900})
        self.page.on("console", lambda message: self.faults.append(f"console: {message.text}"))
        self.page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        self.page.on("dialog", lambda dialog: (self.faults.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        self.page.route("**/*", self._asked)
        self.own = path.resolve().as_uri()
        self.page.goto(self.own)

    def _asked(self, route: Any) -> None:
        if route.request.url == self.own:
            route.continue_()
            return
        self.faults.append(f"asked for {route.request.url[:100]}")
        route.abort()
