"""How pages of a list are asked for: by turns, the first ones not counted, and each looked at for being full."""

import time

from django.test import Client

WARM = 2  # requests that do not count
ROWS = 1 + 50  # the head, and a whole page


def visited(client: Client, urls: dict[str, str], rounds: int) -> tuple[dict[str, list[float]], int]:
    """Return the seconds of each page, asked for by turns, and how many answers did not show a whole page."""
    taken: dict[str, list[float]] = {turn: [] for turn in urls}
    not_full = 0
    for round_ in range(WARM + rounds):
        for turn in sorted(urls, reverse=bool(round_ % 2)):
            begun = time.perf_counter()
            answer = client.get(urls[turn])
            seconds = time.perf_counter() - begun
            if round_ >= WARM:
                taken[turn].append(seconds)
            else:
                not_full += answer.content.count(b"<tr>") != ROWS
    return taken, not_full
