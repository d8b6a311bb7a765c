"""The suite's one runner of axe: the script goes into a page once, and only what it objects to comes back."""

from typing import Any

from axe_playwright_python.sync_playwright import Axe

WCAG = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]
# What passes is named by no test, and sending all of it over costs more than finding it.
_RUN = "options => axe.run(document, options).then(found => found.violations)"


def violations(page, *, tags: list[str] = WCAG, rules: list[str] | None = None) -> list[dict[str, Any]]:
    """Return what axe objects to on the page as it stands: all rules of the tags, or only ``rules``."""
    chosen = {"type": "rule", "values": rules} if rules else {"type": "tag", "values": tags}
    if page.evaluate("typeof window.axe?.run") != "function":  # every navigation begins without it
        page.evaluate(Axe().axe_script)
    return page.evaluate(_RUN, {"runOnly": chosen, "resultTypes": ["violations"]})
