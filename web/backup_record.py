"""A facility's backup record in words: for its page, on paper, and as lines of a file."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from accounts.models import Deadline, RecordCopy, RecordKeeper
from accounts.policy.records import Access, BackupRecord, Submitting, digest
from accounts.services.backup_records import keepers_of, record_of
from accounts.words import day, listed
from facilities.access import Action, Scope
from facilities.models import Facility
from systems.models import ContactPoint, System
from systems.policy import day_in

COLUMNS: Final = (
    "Part", "Stream or system", "Name", "Work e-mail", "Phone", "User ID", "Roles", "Last safe day", "Remarks",
)  # fmt: skip
_COUNTED: Final = {
    Deadline.Kind.INACTIVITY: "without a login: {follows}",
    Deadline.Kind.DELETION: "without a login: {follows}",
    Deadline.Kind.PASSWORD: "without a new password: {follows}",
    Deadline.Kind.TEMPORARY: "to be removed, it is not meant to last longer",
}


@dataclass(frozen=True, slots=True)
class Keeping:
    """One keeper and her copy. ``fresh``: it says what the record says now; ``may``: the member may say she has it."""

    keeper: RecordKeeper
    copy: RecordCopy | None
    fresh: bool
    may: bool


@dataclass(frozen=True, slots=True)
class Printed:
    """Everything that the page shows. ``digest`` stands for the content, whatever the day."""

    facility: Facility
    on: date
    record: BackupRecord
    digest: str
    streams: list[dict[str, Any]]
    people: list[dict[str, Any]]
    desks: list[dict[str, Any]]
    keepers: list[Keeping]


def printed(scope: Scope, facility: Facility, at: datetime) -> Printed:
    """Return the record as it is printed on the day at the facility. A fixed number of queries."""
    on = day_in(at, facility.zone)
    record = record_of(facility, at)
    names = dict(System.objects.values_list("slug", "name"))
    now = digest(record)
    return Printed(
        facility=facility,
        on=on,
        record=record,
        digest=now,
        streams=[_stream(each, record.access, names) for each in record.streams],
        people=_people(record.access, names, _ends([each.account for each in record.access], on)),
        desks=_desks(record, names),
        keepers=_keepers(scope, facility, on, now),
    )


def _stream(each: Submitting, access: Sequence[Access], names: Mapping[str, str]) -> dict[str, Any]:
    called = {held.person: held.name for held in access}
    who = [name for key, name in called.items() if key in each.people]
    if each.through == "corporate":
        words = f"A corporate office{f': {each.through_name}' if each.through_name else ''}"
    elif each.through == "third-party":
        words = f"A third party: {each.through_name}"
    else:
        words = listed(who) or "Nobody"
    backup = {"": "", "nobody": "Nobody can", "missing": "None: only one person can", "there": "Each for the others"}
    over = listed([names[slug] for slug in each.systems])
    return {"stream": each.stream, "over": over, "who": words, "backup": backup[each.backup], "lacks": each.backup}


def _people(
    access: Sequence[Access], names: Mapping[str, str], ends: Mapping[int, list[dict[str, Any]]]
) -> list[dict[str, Any]]:
    found: dict[int, dict[str, Any]] = {}
    for each in access:
        person = found.setdefault(each.person, {"access": each, "accounts": []})
        person["accounts"].append(
            {"held": each, "system": names[each.system], "roles": listed(each.roles), "ends": ends[each.account]}
        )
    return list(found.values())


def _ends(accounts: Sequence[int], on: date) -> Mapping[int, list[dict[str, Any]]]:
    """Return account -> what is lost after which day, soonest first. One query."""
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    running = Deadline.objects.open().filter(account__in=accounts, kind__in=list(_COUNTED), muted=False)
    for each in running.select_related("policy").order_by("due_on", "kind"):
        follows = each.policy.get_consequence_display() if each.policy else "look at it (your own rule)"
        text = _COUNTED[Deadline.Kind(each.kind)].format(follows=follows)
        found[each.account_id or 0].append({"on": each.due_on, "text": text, "passed": each.due_on < on})
    return found


def _desks(record: BackupRecord, names: Mapping[str, str]) -> list[dict[str, Any]]:
    used = {each.system for each in record.access}
    kinds = dict(ContactPoint.Kind.choices)
    return [
        {
            "name": desk.name,
            "systems": listed(
                [names[slug] for slug in desk.systems if slug in used] or [names[s] for s in desk.systems]
            ),
            "ways": [
                {"kind": str(kinds[kind])[:1].upper() + str(kinds[kind])[1:], "value": value, "note": note}
                for kind, value, note in desk.ways
            ],
        }
        for desk in record.desks
    ]


def _keepers(scope: Scope, facility: Facility, on: date, now: str) -> list[Keeping]:
    copies = {copy.person_id: copy for copy in RecordCopy.objects.known().filter(facility=facility)}
    may_edit = scope.may(Action.EDIT_FACILITY, [facility.pk])
    found = []
    for keeper in keepers_of(facility, on):
        copy = copies.get(keeper.person_id)
        own = scope.user_id is not None and keeper.person.user_id == scope.user_id
        found.append(Keeping(keeper, copy, copy is not None and copy.digest == now, own or may_edit))
    return found


def own_keeping(scope: Scope, record: Printed) -> RecordKeeper | None:
    """Return the member as keeper of this record, None for anybody else."""
    mine = (each.keeper for each in record.keepers if each.keeper.person.user_id == scope.user_id)
    return next(mine, None) if scope.user_id is not None else None


def _access_line(held: Access, account: Mapping[str, Any]) -> tuple[object, ...]:
    ends = account["ends"]
    told = [f"{day(each['on'])}{' (passed)' if each['passed'] else ''}: {each['text']}" for each in ends]
    remarks = "; ".join([*(["Works here no more"] if held.left else []), *told])
    first = ends[0]["on"].isoformat() if ends else ""
    roles = "; ".join(held.roles)
    return "Access", account["system"], held.name, held.email, held.phone, held.user_id, roles, first, remarks


def lines(record: Printed) -> Iterator[tuple[object, ...]]:
    """Yield the lines of the file: the record, who submits, who holds what, who helps, who keeps a copy."""
    place = record.facility
    yield "Record", "", place.label, "", "", "", "", "", f"As of {record.on.isoformat()}. No passwords stand here."
    for each in record.streams:
        remarks = ". ".join(filter(None, [f"Over {each['over']}" if each["over"] else "", each["backup"]]))
        yield "Who submits", each["stream"], each["who"], "", "", "", "", "", remarks
    for person in record.people:
        for account in person["accounts"]:
            yield _access_line(account["held"], account)
    for desk in record.desks:
        for way in desk["ways"]:
            mail = way["value"] if way["kind"] == "E-mail" else ""
            yield (
                "Help desk",
                desk["systems"],
                desk["name"],
                mail,
                "" if mail else way["value"],
                "",
                "",
                "",
                way["note"],
            )
    for keeping in record.keepers:
        keeper = keeping.keeper.person
        had = f"Has the one of {keeping.copy.had_on.isoformat()}" if keeping.copy else "Has none yet"
        yield "Keeper", "", str(keeper), keeper.email, keeper.phone, "", "", "", had
