"""Every pair of colours that meets on screen is readable in both schemes (WCAG 2.2: 1.4.3 and 1.4.11)."""

import re

import pytest
from django.contrib.staticfiles import finders

TEXT, SHAPE = 4.5, 3.0

# (what is drawn, on what): the tokens of static/css/tokens.css
TEXT_PAIRS = [
    *[("ink", ground) for ground in ("paper", "surface", "sunk", "late-tint", "soon-tint", "fine-tint", "accent-tint")],
    *[("quiet", ground) for ground in ("paper", "surface", "sunk")],
    *[
        ("accent", ground)
        for ground in ("paper", "surface", "sunk", "late-tint", "soon-tint", "fine-tint", "accent-tint")
    ],
    *[("accent-deep", ground) for ground in ("paper", "surface", "sunk", "accent-tint")],
    *[("late", ground) for ground in ("paper", "surface", "late-tint")],
    *[("soon", ground) for ground in ("paper", "surface", "soon-tint")],
    *[("fine", ground) for ground in ("paper", "surface", "fine-tint")],
    ("on-accent", "accent"),
    ("on-accent", "accent-deep"),
    ("on-late", "late"),
    ("on-late", "late-deep"),
]
SHAPE_PAIRS = [
    *[("edge", ground) for ground in ("paper", "surface")],  # borders of fields and secondary buttons
    *[("focus", ground) for ground in ("paper", "surface", "sunk")],
    *[(tone, "sunk") for tone in ("late", "soon", "fine", "quiet", "ink")],  # the clock's bar on its track
]


def schemes() -> dict[str, dict[str, str]]:
    """Return the colour tokens of the light and the dark scheme by name, without the prefix."""
    with open(finders.find("css/tokens.css"), encoding="utf-8") as file:
        text = file.read()
    first = text[text.index(":root {") : text.index("@media")]
    second = text[text.index("@media") :]
    second = second[: second.index("}\n}")]
    read = [dict(re.findall(r"--pk-([a-z-]+): (#[0-9a-f]{6});", part)) for part in (first, second)]
    return {"light": read[0], "dark": read[0] | read[1]}


def luminance(colour: str) -> float:
    """Return the relative luminance of ``#rrggbb`` as WCAG defines it."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours, 1 to 21."""
    bright, dim = sorted([luminance(one), luminance(other)], reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def test_the_ratio_is_the_one_of_the_standard():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("pairs", "least"), [(TEXT_PAIRS, TEXT), (SHAPE_PAIRS, SHAPE)], ids=["text", "shapes"])
def test_every_pair_of_colours_is_readable(scheme, pairs, least):
    tokens = schemes()[scheme]
    found = {f"{drawn} on {ground}": contrast(tokens[drawn], tokens[ground]) for drawn, ground in pairs}
    assert {pair: round(ratio, 2) for pair, ratio in found.items() if ratio < least} == {}


def test_the_dark_scheme_changes_every_colour():
    light, dark = schemes()["light"], schemes()["dark"]
    assert [name for name in light if light[name] == dark[name]] == []
