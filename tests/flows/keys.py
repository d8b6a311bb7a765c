"""A person without a mouse: everything is reached by Tab, chosen by letters and arrows, pressed by Enter and Space."""

FAR = 250  # presses after which something counts as out of reach
_HAS_FOCUS = "each => each === document.activeElement"
_SHOWS_FOCUS = """each => {
    const looks = getComputedStyle(each)
    return each.matches(":focus-visible") && (parseFloat(looks.outlineWidth) > 0 && looks.outlineStyle !== "none"
        || looks.boxShadow !== "none")
}"""
_STANDS_FREE = """each => {
    const box = each.getBoundingClientRect()
    const above = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2)
    return each === above || each.contains(above) || Boolean(above?.contains(each) && above !== document.body)
}"""


def tab_to(page, target):
    """Press Tab until the one element has the focus, and look whether one can see that it has."""
    for _ in range(FAR):
        if target.evaluate(_HAS_FOCUS):
            assert target.evaluate(_SHOWS_FOCUS), f"nobody sees that the focus is on {target}"
            assert target.evaluate(_STANDS_FREE), f"a bar covers {target}"
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not reach {target}")


def has_focus(target):
    """Fail unless the focus comes to the element by itself: what was pressed may be gone, the place must not be."""
    target.page.wait_for_function(_HAS_FOCUS, arg=target.element_handle())


def press(page, target, *, key="Enter"):
    """Go to a button or link, press it and wait for the page that answers."""
    tab_to(page, target)
    with page.expect_navigation():
        page.keyboard.press(key)


def write(page, target, words):
    """Go to a field and type; a date by its digits as the browser shows them: month, day, year."""
    tab_to(page, target)
    page.keyboard.type(words)


def tick(page, target):
    tab_to(page, target)
    page.keyboard.press("Space")
    assert target.is_checked()
