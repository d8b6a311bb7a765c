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

# Where the focus has come: what that is, whether one sees it, and whether it jumped against the way one reads.
_STOP = """() => {
    const here = document.activeElement, before = window.stoppedAt
    window.stoppedAt = here
    if (!here || here === document.body || here === before) return null  // a part of the same field: the browser's own
    const place = each => {
        const box = each.getBoundingClientRect()
        return {left: box.left, top: box.top + scrollY, bottom: box.bottom + scrollY}
    }
    const looks = getComputedStyle(here)
    const shown = here.matches(":focus-visible")
        && (parseFloat(looks.outlineWidth) > 0 && looks.outlineStyle !== "none" || looks.boxShadow !== "none")
    let jumped = false
    if (before?.isConnected && before.tabIndex === 0 && before.getClientRects().length && !here.matches(".skip")) {
        const to = place(here), from = place(before)
        const follows = before.compareDocumentPosition(here) & Node.DOCUMENT_POSITION_FOLLOWING
        jumped = !follows || to.bottom <= from.top + 1 && to.left <= from.left
    }
    return {what: here.outerHTML.slice(0, 160), shown, jumped}
}"""


def step(page):
    """Press Tab once and look where that leads."""
    page.keyboard.press("Tab")
    stop = page.evaluate(_STOP)
    if stop:
        assert stop["shown"], f"nobody sees that the focus is on {stop['what']}"
        assert not stop["jumped"], f"the focus jumps back to {stop['what']}"


def tab_to(page, target):
    """Press Tab until the one element has the focus; look at every stop, and whether a bar covers the last."""
    for _ in range(FAR):
        if target.evaluate(_HAS_FOCUS):
            assert target.evaluate(_SHOWS_FOCUS), f"nobody sees that the focus is on {target}"
            assert target.evaluate(_STANDS_FREE), f"a bar covers {target}"
            return
        step(page)
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
