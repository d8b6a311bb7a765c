"""Two ways to do the same: a hand on the mouse, and a hand on the keyboard that never points."""

from datetime import date

from tests.flows import keys


class Mouse:
    """Clicks what it reads."""

    def __init__(self, page):
        self.page = page

    def go(self, target):
        """Press a link or button and wait for the page that answers."""
        with self.page.expect_navigation():
            target.click()

    def press(self, target):
        target.click()

    def tick(self, target):
        target.check()

    def write(self, target, words):
        target.fill(words)

    def write_day(self, target, day: date):
        target.fill(day.isoformat())

    def choose(self, target, words):
        target.select_option(label=words)

    def search(self, words):
        """Write into the search of the top bar and let it show its page."""
        target = self.page.get_by_role("searchbox", name="Search")
        target.fill(words)
        with self.page.expect_navigation():
            target.press("Enter")


class Keyboard:
    """Tabs on until what it reads has the focus, and looks at every stop whether one sees where the focus is."""

    def __init__(self, page):
        self.page = page

    def go(self, target):
        keys.press(self.page, target)

    def press(self, target):
        keys.tab_to(self.page, target)
        self.page.keyboard.press("Enter")

    def tick(self, target):
        keys.tick(self.page, target)

    def write(self, target, words):
        keys.write(self.page, target, words)

    def write_day(self, target, day: date):
        keys.write(self.page, target, day.strftime("%m%d%Y"))

    def choose(self, target, words):
        """Choose by the first letters, as a list that has the focus lets one."""
        keys.write(self.page, target, words)
        assert target.evaluate("each => each.selectedOptions[0].label") == words

    def search(self, words):
        """Begin with the sign that leads to the search from everywhere."""
        self.page.keyboard.press("/")
        keys.has_focus(self.page.get_by_role("searchbox", name="Search"))
        self.page.keyboard.type(words)
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")
