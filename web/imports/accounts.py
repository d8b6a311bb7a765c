"""Lists of accounts on the pages of imports: what is added and changes, whom nobody knows, what the list lacks."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.urls import reverse

from accounts.lists.reading import AccountList
from accounts.models import PortalAccount
from accounts.services.account_list_comparing import Comparison
from accounts.services.account_lists import import_account_list, preview_account_list
from accounts.services.account_plans import Planned
from accounts.services.account_register import held_accounts
from accounts.words import count_noun, day
from facilities.access import Scope
from imports.models import Import, PendingImport
from imports.uploads import Agreed, content_of
from staff.models import Person
from staff.roster.keeping import Kept
from staff.roster.reading import Roster
from systems.models import System, SystemRole
from web.imports.fields import ACCOUNT_FIELDS
from web.imports.parts import REJECTED, RESTORED, Cell, Outcome, Row, Total, Words, rejected_row, restored_row
from web.imports.telling import (
    AHEAD_OF_ACCOUNTS,
    DONE_TO_ACCOUNTS,
    counted,
    facility_names,
    sentence,
    undo_until,
)

_UNKNOWN: Final = Words(
    "Rows whose person is not known here",
    "Row",
    "Why",
    "Nothing is written for these rows: a list of accounts adds nobody, and no row is given to somebody it may not be"
    " about. Add the people, or mend the rows and bring the list again.",
)
_MISSING: Final = Words(
    "Accounts that the list does not show",
    what="Roles that are not in the list",
    text="Nothing is removed. Each becomes a finding for somebody to check; a later list that shows it closes it.",
)


class Accounts:
    """What the pages know of lists of accounts; see `web.imports.parts.Pages`."""

    kind = Import.Kind.ACCOUNTS
    make: type[Roster] = AccountList
    fields: Mapping[str, str] = ACCOUNT_FIELDS
    parts: Mapping[str, Words] = {
        "rejected": REJECTED,
        "unknown": _UNKNOWN,
        "missing": _MISSING,
        "restored": RESTORED,
        "created": Words("Accounts that are added", what="What is known"),
        "updated": Words("Accounts that change"),
    }
    most_rows = 20_000
    has_system = True

    def preview(self, scope: Scope, pending: PendingImport, at: datetime) -> Comparison:
        """Return what the upload would change. Raises FileRefused, ListRefused."""
        return preview_account_list(
            scope=scope,
            kept=Kept(content_of(pending)),
            at=at,
            system=pending.system,
            columns=pending.columns or None,
        )

    def rows_of(self, scope: Scope, found: Comparison, slug: str, start: int, size: int) -> tuple[int, list[Row]]:
        """Return (how many rows a part has, some of them)."""
        end = start + size
        if slug == "rejected":
            return len(found.refused), [rejected_row(each, found.roster) for each in found.refused[start:end]]
        if slug == "restored":
            restored = found.report.restored
            return len(restored), [restored_row(each) for each in restored[start:end]]
        if slug in ("unknown", "missing"):
            listed = found.report.unknown_people if slug == "unknown" else found.report.missing_in_file
            names = _system_names(each["system"] for each in listed[start:end])
            make = _unknown_row if slug == "unknown" else _missing_row
            return len(listed), [make(each, scope, names) for each in listed[start:end]]
        planned = [each for each in found.planned if (each.change.account is None) == (slug == "created")]
        shown = planned[start:end]
        if not shown:
            return len(planned), []
        words = _Words(scope, shown)
        return len(planned), [words.row(each) for each in shown]

    def outcome(self, scope: Scope, found: Comparison, at: datetime) -> Outcome:
        """Return what the preview says beside its rows."""
        report = found.report
        unknown, rejected, missing = map(len, (report.unknown_people, report.rejected, report.missing_in_file))
        promises = ["Rows that are not taken, or whose person is not known here, change nothing."]
        return Outcome(
            totals=[
                Total(report.created, "new account" if report.created == 1 else "new accounts"),
                Total(report.updated, "account changes" if report.updated == 1 else "accounts change"),
                Total(report.unchanged, "stays as before" if report.unchanged == 1 else "stay as they are"),
                Total(unknown, f"{'row' if unknown == 1 else 'rows'} of unknown people", "soon" if unknown else ""),
                Total(
                    missing, f"{'account' if missing == 1 else 'accounts'} not in the list", "soon" if missing else ""
                ),
                Total(rejected, f"{'row' if rejected == 1 else 'rows'} not taken", "soon" if rejected else ""),
            ],
            notes=report.notes,
            promises=[
                *(promises if unknown or rejected else []),
                "No mail is sent by the import itself, and nothing is changed on CMS’s systems.",
                f"You can take the import back until {day(undo_until(at, scope.organization))}."
                if report.created or report.updated
                else "No account changes, so there is nothing to take back; a finding closes when it is answered.",
            ],
            deed=counted(report.counts(), AHEAD_OF_ACCOUNTS),
            same="no row that could be taken says more than the register."
            if unknown or rejected
            else "the register says the same already.",
        )

    def consent(
        self, scope: Scope, pending: PendingImport, at: datetime, *, digest: str, left: frozenset[int]
    ) -> tuple[int | None, str]:
        """Write what was looked at. Raises ListRefused, FileRefused."""
        report = import_account_list(
            scope=scope,
            path=Kept(content_of(pending)),
            at=at,
            system=pending.system,
            columns=pending.columns or None,
            agreed=Agreed(pending, digest),
        )
        if report.source is None and report.missing_in_file:
            missing = count_noun(len(report.missing_in_file), "account,accounts")
            return None, f"No account changed. Noted under Findings, as the list does not show them: {missing}"
        return report.source, sentence(counted(report.counts(), DONE_TO_ACCOUNTS))


def _system_names(slugs: Iterable[str]) -> dict[str, str]:
    return dict(System.objects.current().filter(slug__in=set(slugs)).values_list("slug", "name"))


def _unknown_row(each: Mapping[str, Any], scope: Scope, names: Mapping[str, str]) -> Row:
    note = " · ".join(part for part in (each["name"], names.get(each["system"], each["system"])) if part)
    return Row(f"Line {each['line']}", note=note, text=sentence(each["reason"]))


def _missing_row(each: Mapping[str, Any], scope: Scope, names: Mapping[str, str]) -> Row:
    note = f"{names.get(each['system'], each['system'])} · {each['facility']}"
    url = reverse("web:account", args=[scope.organization.slug, each["account"]])
    return Row(each["person"], note=note, url=url, text=", ".join(each["roles"]))


@dataclass(frozen=True, slots=True)
class _Place:
    """A grant by the facility and the role that it is for."""

    facility: int
    role: int


class _Words:
    """The accounts that are shown as they are, and names for what changes."""

    def __init__(self, scope: Scope, shown: Sequence[Planned]) -> None:
        self._scope = scope
        self._held = held_accounts(scope.organization, [(each.person, each.system.key) for each in shown])
        ended = {key: place for each in shown for key, place in self._grants(each).items()}
        told = [_Place(each.facility, each.role) for one in shown for each in one.change.grants]
        told += [_Place(each.facility, each.role) for one in shown for each in one.change.certified]
        places = [*told, *ended.values()]
        self._facilities = facility_names(scope.organization, {place.facility for place in places})
        self._roles = dict(SystemRole.objects.filter(pk__in={place.role for place in places}).values_list("pk", "name"))
        mine = Person.objects.filter(organization=scope.organization)
        self._people = mine.select_related("organization").in_bulk({each.person for each in shown})

    def row(self, each: Planned) -> Row:
        """Return one account with what changes, each cell as it was and becomes."""
        slug, change = self._scope.organization.slug, each.change
        url = reverse("web:account", args=[slug, change.account]) if change.account else ""
        who = self._people[each.person]
        return Row(
            str(who),
            note=f"{each.system.name} · Line {change.line}",
            url=url or who.get_absolute_url(),
            cells=[*self._role_cells(each), *self._account_cells(each)],
        )

    def _grants(self, each: Planned) -> dict[int, _Place]:
        held = self._held.get((each.person, each.system.key))
        known = {key: _Place(*place) for place, key in held.grants.items()} if held else {}
        return {key: known[key] for key in each.change.ended}

    def _role_cells(self, each: Planned) -> list[Cell]:
        change = each.change
        held = self._held.get((each.person, each.system.key))
        cells = [
            Cell(self._at("Role", told.facility), "", f"{self._roles[told.role]}, from {day(told.since)}")
            for told in change.grants
        ]
        cells += [
            Cell(self._at("Role", place.facility), self._roles[place.role], "ended")
            for place in self._grants(each).values()
        ]
        for told in change.certified:
            before = held.certified.get((told.facility, told.role)) if held else None
            by = f", by {told.by}" if told.by else ""
            label = f"{self._roles[told.role]} certified at {self._facilities[told.facility]}"
            cells.append(Cell(label, day(before), f"{day(told.on)}{by}"))
        return cells

    def _at(self, what: str, facility: int) -> str:
        return f"{what} at {self._facilities[facility]}"

    def _account_cells(self, each: Planned) -> list[Cell]:
        change = each.change
        held = self._held.get((each.person, each.system.key))
        cells = []
        if change.account is None:
            cells.append(Cell("Access since", "", day(change.opened_on)))
        elif change.status:
            cells.append(Cell("Account", _status(change.was), _status(change.status)))
        if change.lost:
            lost = PortalAccount.Loss(change.lost).label.lower()
            cells.append(Cell("Account", _status(held.status if held else ""), f"Lost ({lost})"))
        if change.login_on:
            cells.append(Cell("Last sign-in", day(held.last_login_on) if held else "", day(change.login_on)))
        if change.never:
            cells.append(Cell("Last sign-in", "unknown" if held else "", "never"))
        if change.user_id:
            cells.append(Cell("User ID", "", change.user_id))
        return cells


def _status(value: str) -> str:
    return str(PortalAccount.Status(value).label) if value else ""
