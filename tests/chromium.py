"""A real Chromium from the system, driven by Playwright; nothing is downloaded."""

import os
import shutil

import pytest
from django.conf import settings

# Playwright's synchronous interface keeps an event loop running in this thread.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
]
WIDE, NARROW = {"width": 1280, "height": 800}, {"width": 360, "height": 740}


def chromium() -> str:
    """Return the path of the browser; skip where there is none, fail in CI, where it has to be."""
    path = settings.CHROMIUM or shutil.which("chromium") or shutil.which("google-chrome") or ""
    if not path:
        reason = "no Chromium: install the system package `chromium` or set CHROMIUM"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return path


@pytest.fixture(scope="session")
def browser():
    """One browser for the session."""
    from playwright.sync_api import sync_playwright

    path = chromium()
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield running
        running.close()
