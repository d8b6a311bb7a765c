"""Pytest plugin: which tests run, and in which order, so that two workers end at about the same time."""

import pytest
from django.test import TransactionTestCase

BOTH_ENGINES = ("django_db", "db_engines")
DATABASE_FIXTURES = {"db", "transactional_db", "django_db_reset_sequences", "live_server"}
LONG = ("installation", "compose", "browser")  # markers of files with few tests that take long


def touches_database(item: pytest.Item) -> bool:
    """Tell whether a test opens a database of the engine under test, by its fixtures, its markers or its class."""
    if DATABASE_FIXTURES & set(getattr(item, "fixturenames", ())) or has_marker(item, BOTH_ENGINES):
        return True
    return isinstance(cls := getattr(item, "cls", None), type) and issubclass(cls, TransactionTestCase)


def has_marker(item: pytest.Item, names: tuple[str, ...]) -> bool:
    """Tell whether a test has one of the markers, from itself, its class or its file."""
    return any(item.get_closest_marker(name) for name in names)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option of the second pass."""
    parser.addoption("--database-only", action="store_true", help="leave out what never opens the database")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put files with long tests first; leave out what a second engine cannot change."""
    long_files = {item.path for item in items if has_marker(item, LONG)}
    items.sort(key=lambda item: item.path not in long_files)
    if config.getoption("--database-only"):
        left_out = [item for item in items if not touches_database(item)]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if touches_database(item)]
