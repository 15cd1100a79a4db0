"""A real browser for the tests of pages: Debian's Chromium, driven by Playwright.

One browser for a whole module, and no async test in such a module: Playwright's synchronous API keeps an event loop of
its own in this thread as long as the browser is open.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

HOW = "on Debian `apt-get install chromium`, elsewhere https://www.chromium.org/getting-involved/download-chromium"


@pytest.fixture(scope="module")
def browser(require: Any) -> Iterator[Browser]:
    """Start the browser once."""
    program = require.program("chromium", how=HOW)
    as_root = hasattr(os, "geteuid") and os.geteuid() == 0
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, chromium_sandbox=not as_root)
        yield started
        started.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Any]:
    """Open pages that may complain of nothing: no error of a script, nothing that the policy refuses."""
    complaints: list[str] = []
    contexts = []

    def open_page(url: str, **settings: Any) -> Page:
        context = browser.new_context(**settings)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(5000)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
        page.goto(url)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []
