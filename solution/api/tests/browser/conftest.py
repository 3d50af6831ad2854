"""A real browser, which tells what it asked for and what it complained of."""

import os
import shutil
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

# Without these it asks its maker's servers for updates and lists, and runs as root not at all.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


class Visit(NamedTuple):
    """A page, the addresses that it asked for, and its complaints: errors, and what the policy forbade."""

    page: Page
    requests: list[str]
    complaints: list[str]


def find_chromium() -> str:
    names = (os.environ.get("CHROMIUM"), "chromium", "chromium-browser", "google-chrome")
    found = next(filter(None, map(shutil.which, filter(None, names))), None)
    assert found, "no Chromium: apt-get install chromium, or set CHROMIUM to its path"
    return found


# Not for the session: while Playwright runs, no other test of this process can run an event loop.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def visit(browser) -> Iterator[Visit]:
    context = browser.new_context(viewport={"width": 1280, "height": 1400})
    page = context.new_page()
    visit = Visit(page, [], [])
    context.on("request", lambda request: visit.requests.append(request.url))
    page.on("pageerror", lambda error: visit.complaints.append(f"pageerror: {error}"))
    page.on(
        "console",
        lambda message: (
            visit.complaints.append(f"console: {message.text}")
            if message.type in ("error", "warning")
            else None
        ),
    )
    yield visit
    context.close()
