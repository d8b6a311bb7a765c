"""A page as a tree of elements, as far as tests ask for it."""

from html.parser import HTMLParser

VOID = {"br", "hr", "img", "input", "link", "meta", "use", "wbr", "source", "rect", "path", "line"}


class Element:
    """One element: its tag, attributes, children, and all text in it."""

    def __init__(self, tag, attrs, parent=None):
        self.tag, self.attrs, self.parent, self.inside = tag, attrs, parent, []

    @property
    def text(self):
        words = [part if isinstance(part, str) else part.text for part in self.inside]
        return " ".join(" ".join(words).split())

    def all(self, tag, **attrs):
        """Yield the elements below of this tag; ``class_`` asks for one of its classes."""
        for child in self.inside:
            if isinstance(child, Element):
                if child.tag == tag and all(child.has(name, value) for name, value in attrs.items()):
                    yield child
                yield from child.all(tag, **attrs)

    def has(self, name, value):
        found = self.attrs.get(name.rstrip("_")) or ""
        return value in found.split() if name == "class_" else value == found

    def up(self):
        here = self
        while here is not None:
            yield here
            here = here.parent


class _Builder(HTMLParser):
    def __init__(self, html):
        super().__init__()
        self.root = self.here = Element("root", {})
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.here.inside.append(element := Element(tag, dict(attrs), self.here))
        if tag not in VOID:
            self.here = element

    def handle_startendtag(self, tag, attrs):
        self.here.inside.append(Element(tag, dict(attrs), self.here))

    def handle_endtag(self, tag):
        found = next((each for each in self.here.up() if each.tag == tag), None)
        if found is not None and found.parent is not None:
            self.here = found.parent

    def handle_data(self, data):
        self.here.inside.append(data)


def tree(html):
    """Return the root of a page."""
    return _Builder(html).root
