"""``make shots``: a picture of every page, wide and narrow, light and dark, below ``var/shots/``.

Starts the product on a database of its own with the demo organization, signs in as its administrator as a person does,
and follows the links of every page; of pages that differ only in a number the first one is taken.
"""

import argparse
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
SHOTS = ROOT / "var" / "shots"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
]
SIZES = {"1280": {"width": 1280, "height": 800}, "360": {"width": 360, "height": 740}}
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
NOWHERE = "/no-such-page/"
ENTRANCE = ["/auth/login/", "/auth/password/reset/", "/style/", NOWHERE]
MOST_PAGES = 80
ROSTER = """Employee No\tFirst name\tLast name\tE-mail (work)\tJob title\tCCN\tHire date\tStatus
D-101\tCarol\tSample\tcarol.sample@demo.example\tMDS director\t015980\t06/05/2024\tActive
D-102\tAna\tExample\tana.example@demo.example\tAdministrator\t015980\t06/05/2024\tActive
D-103\tHenry\tPlaceholder\thenry.placeholder@demo.example\tStaffing clerk\t121598\t06/05/2024\tActive
D-104\tMaya\tMadeup\tmaya.madeup@demo.example\tNurse\t15980\t11/16/2026\tActive
D-105\tNils\tNowhere\tno address\tNurse\t015980\t11/16/2026\tActive
"""


def find_chromium() -> str:
    """Return the path of the system's browser, or end with a clear message."""
    names = (os.environ.get("CHROMIUM"), "chromium", "chromium-browser", "google-chrome")
    path = next((found for name in names if name and (found := shutil.which(name))), None)
    if path is None:
        sys.exit("No Chromium here: install the system package `chromium` or set CHROMIUM (see README).")
    return path


class Demo:
    """A running product with demo data in a scratch folder."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            self.port = listener.getsockname()[1]
        self.url = f"http://localhost:{self.port}"
        self.environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "config.settings.embedded",
            "DATABASE_URL": f"sqlite:///{folder}/shots.sqlite3",
            "EMAIL_URL": f"filemail:///{folder}/mail",
            "SITE_URL": self.url,
            "REDIS_URL": "",
            "LOG_LEVEL": "ERROR",
        }

    def manage(self, *arguments: str) -> str:
        """Run a command and return what it printed; end with its message when it fails."""
        program = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(program, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(f"manage.py {arguments[0]} failed:\n{done.stdout}{done.stderr}")
        return done.stdout

    def sign_in(self) -> dict[str, str]:
        """Return e-mail, password and a current code of the demo's administrator."""
        rows: list[dict[str, str]] = json.loads(self.manage("seed_demo", "--print", "--json"))["sign_ins"]
        return next((row for row in rows if row["role"] == "Administrator"), rows[0])


@contextmanager
def running_demo() -> Iterator[Demo]:
    """Prepare and serve the demo; stop it and remove its folder at the end."""
    with tempfile.TemporaryDirectory(prefix="pk-shots-") as folder:
        demo = Demo(Path(folder))
        for command in (["migrate", "-v", "0"], ["load_catalogue"], ["load_directory"], ["seed_demo"], ["tick"]):
            demo.manage(*command)
        granian = [str(Path(sys.executable).parent / "granian"), "--interface", "wsgi", "--host", "127.0.0.1"]
        server = subprocess.Popen(
            [*granian, "--port", str(demo.port), "--no-ws", "config.wsgi:application"],
            cwd=ROOT,
            env=demo.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            _wait_for(f"http://127.0.0.1:{demo.port}/healthz", server)
            yield demo
        finally:
            server.terminate()
            server.wait(10)


def _wait_for(url: str, server: "subprocess.Popen[bytes]") -> None:
    for _ in range(600):
        if server.poll() is not None:
            break
        try:
            urllib.request.urlopen(url, timeout=2).close()  # noqa: S310  # nosec B310  (our own server)
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    sys.exit("The product does not answer; try `make run`.")


def signed_in_state(browser: Browser, demo: Demo) -> Any:
    """Sign in through the forms, as a person does, and return the browser's cookies."""
    who = demo.sign_in()
    context = browser.new_context(base_url=demo.url)
    page = context.new_page()
    page.goto("/auth/login/")
    page.fill("input[name=login]", who["email"])
    page.fill("input[name=password]", who["password"])
    page.press("input[name=password]", "Enter")
    page.wait_for_load_state("networkidle")
    if page.locator("input[name=code]").count():
        page.fill("input[name=code]", who["code"])
        page.press("input[name=code]", "Enter")
        page.wait_for_load_state("networkidle")
    if "/auth/" in urlsplit(page.url).path:
        sys.exit(f"The demo administrator could not sign in; the browser stands at {page.url}.")
    state = context.storage_state()
    context.close()
    return state


def kind_of(path: str) -> str:
    """Return the path with numbers and names of systems replaced: pages of one kind look alike."""
    path = re.sub(r"/systems/(?!rules/|iqies/|qies/)(ep-)?[a-z0-9-]+/", r"/systems/\1NAME/", path)  # the richest stay
    path = re.sub(r"/first-hour/[a-z]+/", "/first-hour/STEP/", path)
    return re.sub(r"/\d+(?=/|$)", "/N", path)


def bring_a_list(page: Page) -> None:
    """Upload a roster as a person does, so that a preview waits to be found."""
    page.goto("/o/demo/imports/new/")
    page.fill("textarea[name=pasted]", ROSTER)
    page.get_by_role("button", name="Look at it").click()
    page.wait_for_load_state("networkidle")


def find_pages(page: Page) -> list[str]:
    """Follow every link from the home page; return one path of each kind, in the order found."""
    waiting, seen = ["/"], {"/"}
    found: list[str] = []
    while waiting and len(found) < MOST_PAGES:
        path = waiting.pop(0)
        answer = page.goto(path)
        if answer is None or "text/html" not in answer.headers.get("content-type", ""):
            continue
        landed = urlsplit(page.url).path
        if kind_of(landed) not in {kind_of(each) for each in found}:
            found.append(landed)
        for link in page.eval_on_selector_all("a[href]:not([download])", "links => links.map(link => link.href)"):
            parts = urlsplit(link)
            if parts.netloc == urlsplit(page.url).netloc and kind_of(parts.path) not in seen:
                seen.add(kind_of(parts.path))
                waiting.append(parts.path)
    return found


def shoot(context: BrowserContext, paths: list[str], look: str) -> list[str]:
    """Take each page as ``<page>-<look>.png``; return complaints about wrong answers and pages that do not fit."""
    page = context.new_page()
    complaints: list[str] = []
    for path in paths:
        answer = page.goto(path)
        page.wait_for_load_state("networkidle")
        name = kind_of(path).strip("/").replace("/", "-") or "home"
        page.screenshot(path=SHOTS / f"{name}-{look}.png", full_page=True)
        if answer is None or answer.status != (404 if path == NOWHERE else 200):
            complaints.append(f"{look}: {path} answered {answer.status if answer else 'nothing'}")
        if (wider := page.evaluate("document.documentElement.scrollWidth - window.innerWidth")) > 0:
            complaints.append(f"{look}: {path} is {wider} px wider than the window")
    return complaints


def main() -> int:
    """Take all pictures; return 1 when a page failed or does not fit."""
    argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0]).parse_args()
    chromium = find_chromium()
    complaints: list[str] = []
    paths: list[str] = []
    shutil.rmtree(SHOTS, ignore_errors=True)
    SHOTS.mkdir(parents=True)
    with running_demo() as demo, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        state = signed_in_state(browser, demo)
        for size, viewport in SIZES.items():
            for scheme in SCHEMES:
                options: dict[str, Any] = {"base_url": demo.url, "viewport": viewport, "color_scheme": scheme}
                options["reduced_motion"] = "reduce"
                outside = browser.new_context(**options)
                inside = browser.new_context(storage_state=state, **options)
                if not paths:
                    bring_a_list(inside.new_page())
                    paths = find_pages(inside.new_page())
                look = f"{size}-{scheme}"
                complaints += shoot(outside, ENTRANCE, look) + shoot(inside, paths, look)
                outside.close()
                inside.close()
        browser.close()
    print(f"{len(paths) + len(ENTRANCE)} pages, four pictures each, in {SHOTS.relative_to(ROOT)}/.")
    print("\n".join(complaints))
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
