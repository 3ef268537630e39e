"""A real browser for the tests: Debian's Chromium, or whichever one is on the path."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
QUIET = (
    *("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--disable-quic"),
)


def find_browser() -> str:
    """The browser's path. Without one the tests are skipped with that reason; in CI that is a failure."""
    path = next((found for name in NAMES if (found := shutil.which(name))), "")
    if not path:
        reason = f"no browser is on the path: install one of {', '.join(NAMES)}"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return path


@contextmanager
def browser() -> Iterator[Browser]:
    """A browser without a window."""
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=find_browser(), args=list(QUIET))
        try:
            yield opened
        finally:
            opened.close()
