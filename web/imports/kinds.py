"""The kinds of lists that the pages of imports take."""

from typing import Final

from imports.models import Import
from web.imports.accounts import Accounts
from web.imports.parts import Pages
from web.imports.people import People

KINDS: Final[dict[str, Pages]] = {Import.Kind.STAFF.value: People(), Import.Kind.ACCOUNTS.value: Accounts()}
