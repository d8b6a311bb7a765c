"""The sentences of mails are those of the pages. Which module speaks is composed by the settings: `MAIL_SENTENCES`."""

from datetime import date
from functools import lru_cache
from importlib import import_module
from typing import Any, Protocol, cast

from django.conf import settings


class Voice(Protocol):
    """What a digest asks for: facts of one account in, one sentence out (see `web.sentences`)."""

    Facts: Any

    def login_due(self, facts: Any) -> str: ...
    def login_passed(self, facts: Any) -> str: ...
    def roles_to_check(self, facts: Any) -> str: ...
    def password_due(self, facts: Any) -> str: ...
    def deletion_due(self, facts: Any) -> str: ...
    def what_follows(self, facts: Any) -> str: ...
    def by_day(self, value: date, on: date) -> str: ...
    def short_day(self, value: date, on: date) -> str: ...
    def local_ends(self, due_on: date, zones: Any, *, system_zone: str) -> str: ...


@lru_cache(maxsize=1)
def voice() -> Voice:
    """Return the module of sentences."""
    return cast(Voice, import_module(settings.MAIL_SENTENCES))
