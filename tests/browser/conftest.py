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


@pytest.fixture
def open_page(browser, live_server):
    """Return a function (path, size, scheme, scripts) -> page; the test fails on any console error or refused load."""
    contexts = []
    complaints: list[str] = []

    def opened(path, *, size=WIDE, scheme="light", scripts=True, cookies=()):
        context = browser.new_context(
            base_url=live_server.url,
            viewport=size,
            color_scheme=scheme,
            java_script_enabled=scripts,
            reduced_motion="reduce",
        )
        context.add_cookies([{"url": live_server.url, **cookie} for cookie in cookies])
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("requestfailed", lambda request: complaints.append(f"not loaded: {request.url}"))
        page.goto(path)
        page.wait_for_load_state("networkidle")
        return page

    opened.complaints = complaints  # a test that provokes one takes it out again
    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def signed_in(client, django_user_model, live_server):
    """Return a function: user -> the cookies of a signed-in browser."""

    def cookies(user):
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return [{"name": "sessionid", "value": client.cookies["sessionid"].value}]

    return cookies
