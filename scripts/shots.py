"""Screenshots of every page of the demo organization, wide and narrow, light and dark, into ``var/shots/``.

Runs against a database of its own in a temporary folder and a server on a free port; leaves neither behind.
"""

import os
import shutil
import socket
import subprocess  # nosec B404
import sys
import tempfile
import time
from pathlib import Path
from typing import Final, Literal

ROOT = Path(__file__).resolve().parent.parent
SHOTS = ROOT / "var" / "shots"
LOOKS: Final[tuple[tuple[int, Literal["light", "dark"]], ...]] = (
    (1280, "light"),
    (1280, "dark"),
    (360, "light"),
    (360, "dark"),
)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
]
FLAGS += ["--disable-component-update", "--disable-sync", "--disable-quic"]
BEFORE_SIGN_IN = ["account_login", "account_reset_password"]
MINE = ["mfa_index", "account_change_password", "account_email", "usersessions_list", "web:style"]


def prepare() -> tuple[list[str], list[str], str]:
    """Fill the database; return the addresses before and after sign-in and a signed-in session's key."""
    import django

    django.setup()
    from django.core.management import call_command
    from django.test import Client
    from django.urls import reverse

    from accounts.models import PortalAccount
    from facilities.models import Facility, Organization
    from staff.models import Person
    from users.models import User

    for command in ("migrate", "load_catalogue", "seed_demo"):
        call_command(command, verbosity=0, stdout=sys.stderr)
    demo = Organization.objects.get(is_demo=True)
    person = Person.objects.filter(organization=demo, user__email__startswith="ana.").get()
    of_demo = {"organization": demo}
    lists = [
        "today",
        "facilities",
        "people",
        "accounts",
        "settings",
        "facility-register",
        "person-add",
        "logins-record",
    ]
    addresses = [reverse(f"web:{name}", args=[demo.slug]) for name in lists]
    addresses += [Facility.objects.filter(**of_demo).earliest("pk").get_absolute_url(), person.get_absolute_url()]
    addresses += [reverse("web:account", args=[demo.slug, PortalAccount.objects.filter(**of_demo).earliest("pk").pk])]
    client = Client(headers={"user-agent": "Chrome/1 (X11; Linux x86_64)"})
    client.force_login(User.objects.get(pk=person.user_id or 0), backend="django.contrib.auth.backends.ModelBackend")
    before, after = ([reverse(name) for name in names] for names in (BEFORE_SIGN_IN, MINE))
    return before, addresses + after, client.cookies["sessionid"].value


def wait_for(server: subprocess.Popen[bytes], port: int) -> None:
    """Return when our server answers. Raises RuntimeError when it ends or takes half a minute."""
    for _ in range(150):
        if server.poll() is not None:
            break
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    raise RuntimeError("the server did not start")


def take(origin: str, before: list[str], after: list[str], session: str, chromium: str) -> int:
    """Photograph every page in every look; return how many pictures there are. Raises RuntimeError for a wrong page."""
    from playwright.sync_api import sync_playwright

    shutil.rmtree(SHOTS, ignore_errors=True)
    SHOTS.mkdir(parents=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        for width, scheme in LOOKS:
            context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
            for addresses, signed_in in ((before, False), (after, True)):
                if signed_in:
                    context.add_cookies([{"name": "sessionid", "value": session, "url": origin}])
                page = context.new_page()
                for address in addresses:
                    answer = page.goto(origin + address, wait_until="networkidle")
                    if answer is None or answer.status != 200 or page.url != origin + address:
                        raise RuntimeError(f"{address} led to {page.url} ({answer.status if answer else 'no answer'})")
                    name = address.strip("/").replace("/", "-")
                    page.screenshot(path=SHOTS / f"{name}-{width}-{scheme}.png", full_page=True)
            context.close()
        browser.close()
    return len(list(SHOTS.glob("*.png")))


def main() -> int:
    """Take the pictures; exit 1 where that is not possible."""
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not chromium:
        print("No Chromium here: install the system package `chromium` or set CHROMIUM.", file=sys.stderr)
        return 1
    with socket.socket() as free, tempfile.TemporaryDirectory() as folder:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        os.environ |= {"DJANGO_SETTINGS_MODULE": "config.settings.embedded", "DJANGO_ALLOW_ASYNC_UNSAFE": "true"}
        os.environ |= {"DATABASE_URL": f"sqlite:///{folder}/shots.sqlite3", "EMAIL_URL": f"filemail:///{folder}/mail"}
        os.environ |= {"PORT": str(port), "REDIS_URL": ""}
        sys.path.insert(0, str(ROOT))
        before, after, session = prepare()
        command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--no-ws", "--log-level", "error"]
        command += ["--host", "127.0.0.1", "--port", str(port), "config.wsgi:application"]
        server = subprocess.Popen(command, cwd=ROOT)  # nosec B603
        try:
            wait_for(server, port)
            count = take(f"http://localhost:{port}", before, after, session, chromium)
        except RuntimeError as exc:
            print(f"Screenshots: {exc}.", file=sys.stderr)
            return 1
        finally:
            server.terminate()
            server.wait()
    print(f"{count} pictures in {SHOTS.relative_to(ROOT)}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
