"""Pages for the tests of this folder; the browser itself is the session's (`tests.chromium`)."""

import pytest

from tests.chromium import NARROW, WIDE

__all__ = ["NARROW", "WIDE"]


def _refused(request):
    """Return the complaint; none where the browser itself left a page that was still loading."""
    return [] if request.failure == "net::ERR_ABORTED" else [f"not loaded: {request.url}: {request.failure}"]


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
        page.on("requestfailed", lambda request: complaints.extend(_refused(request)))
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
