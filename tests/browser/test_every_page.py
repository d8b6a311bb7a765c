"""Every further page that an administrator can open, unfolded: accessible, whole with long names, and at 400 % zoom.

The pages of `tests.flows.test_every_page`, there in every state of the demo, are not opened again.
"""

import pytest
from django.urls import reverse

from tests.access_objects import one_of_each
from tests.axe import violations
from tests.browser.conftest import NARROW, WIDE
from tests.flows.test_every_page import LISTS, OF_A_PERSON, WIDER, ZOOMED
from tests.long_names import lengthen
from tests.test_access import ROWS, SEEN

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

FRAGMENTS = {
    "web:account-fields",
    "web:facility-suggest",
    "web:import-part",
    "web:forecast-beside",
    "web:facility-sample",
    "web:calendar-feed",
    "web:request-file",
    "web:request-sheet-pdf",
}  # parts of pages, and files
ELSEWHERE = {*LISTS, *OF_A_PERSON}
UNFOLD = "document.querySelectorAll('details:not(.menu)').forEach(part => { part.open = true })"


def pages(objects):
    """Yield the address of every page that answers the owner's GET."""
    for name, rows in ROWS.items():
        if name.startswith("web:") and name not in FRAGMENTS and name.removeprefix("web:") not in ELSEWHERE:
            for row in rows:
                if row.post is None and row.expected[0] == SEEN:
                    yield reverse(name, args=[objects[arg] for arg in row.args]) + row.query


def test_every_page_is_accessible_unfolded_and_fits_a_phone_and_400_percent(open_page, signed_in, cast):
    objects = one_of_each(cast)
    lengthen(cast.riverside)
    page = open_page("/o/riverside/", cookies=signed_in(cast.alice))
    wrong = {}
    for address in pages(objects):
        page.set_viewport_size(WIDE)
        assert page.goto(address).status == 200, address
        page.evaluate(UNFOLD)
        found = [f"{each['id']}: {each['nodes'][0]['html'][:160]}" for each in violations(page)]
        for size in (WIDE, NARROW, ZOOMED):
            page.set_viewport_size(size)
            if (wider := page.evaluate(WIDER)) > 0:
                found.append(f"{wider} px too wide at {size['width']}")
        if found:
            wrong[address] = found
    assert wrong == {}
