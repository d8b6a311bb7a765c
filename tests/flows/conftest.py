"""A site with a real mail server behind it, and people with browsers of their own."""

import gzip
import json
from io import StringIO

import pytest
import time_machine
from django.core.management import call_command
from django.test import Client

from facilities.extract import SHIPPED
from tests.chromium import WIDE
from tests.conftest import NOON
from tests.reminders.peer import smtp_peer


@pytest.fixture
def peer(settings):
    """A real SMTP server to which the site's mails go."""
    with smtp_peer() as running:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", running.port
        yield running


@pytest.fixture
def site(live_server, catalogue, settings):
    """The product's address, with the shipped catalogue; links in mails and commands lead there."""
    settings.SITE_URL = live_server.url
    return live_server.url


@pytest.fixture
def directory(site, command, tmp_path):
    """The real directory's nursing homes of the first Alabama numbers, which load faster than all of it."""
    lines = gzip.decompress(SHIPPED.read_bytes()).splitlines(keepends=True)
    path = tmp_path / "alabama.csv.gz"
    path.write_bytes(gzip.compress(b"".join([lines[0], *(line for line in lines if line.startswith(b"0150"))])))
    return command("load_directory", "--file", str(path))


@pytest.fixture
def invited(site, command):
    """The link for the first administrator of a new organization."""
    names = ["oakwood", "--name=Oakwood Care", "--zone=America/Chicago", "--admin=ana@oakwood.example"]
    return command("create_organization", *names)["invitation"]


@pytest.fixture
def clock():
    """Set the site's clock to noon of a Friday in New York; ``clock(instant)`` sets it anew. It goes on ticking."""
    travels = []

    def moved(at):
        while travels:
            travels.pop().stop()
        travel = time_machine.travel(at, tick=True)
        travel.start()
        travels.append(travel)

    moved(NOON)
    yield moved
    while travels:
        travels.pop().stop()


@pytest.fixture
def newcomer(browser, site):
    """Return a function: a page in a browser of its own. The test fails on any complaint of any of them."""
    contexts, complaints = [], []

    def arrived(*, size=WIDE, scheme="light", scripts=True, touch=False, cookies=()):
        context = browser.new_context(
            base_url=site,
            viewport=size,
            color_scheme=scheme,
            java_script_enabled=scripts,
            has_touch=touch,
            reduced_motion="reduce",
        )
        context.set_default_timeout(15_000)
        context.add_cookies([{"url": site, **cookie} for cookie in cookies])
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        return page

    arrived.complaints = complaints
    yield arrived
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def command():
    """Return a function: run a command of the contract and return its JSON document."""

    def run(name, *arguments):
        out = StringIO()
        call_command(name, *arguments, "--json", stdout=out)
        return json.loads(out.getvalue())

    return run


@pytest.fixture
def arriving(site):
    """Return a function: user -> the cookies of somebody who has signed in already, at the site's present clock."""

    def cookies(user):
        client = Client(headers={"user-agent": "Chrome/1 (X11; Linux x86_64)"})
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return [{"name": "sessionid", "value": client.cookies["sessionid"].value}]

    return cookies
