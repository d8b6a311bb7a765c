"""Deadlines that hang on people and obligations instead of accounts: what each rule reads, and what answers it.

The statements of `clock_tables` write them as they write every other deadline; no rule stands in this SQL either.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import partial
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import CharField, Value
from django.db.models.functions import Cast, Concat

from accounts.models import AccessReview, Acknowledgement, Deadline, HouseRule, Obligation
from accounts.policy.acknowledging import acknowledgement_due
from accounts.services.clock_tables import HOOKS, STORED, Chosen
from accounts.services.clocks import Answer, Chains, Moved, bring_in_line, changed, of_version, published
from audit.services import Ref, record_digest
from facilities.models import Facility
from staff.models import Person
from systems.models import Document, PolicyKind
from systems.policy import EASTERN, day_in, due
from systems.selectors import policy_chains

SWEEP: Final = Ref("system:duties", "sweep of yearly duties")
# rule of the catalogue -> (rule that an organization switches on, what is acknowledged, its versions in the catalogue)
DOCUMENTS: Final = {
    "acknowledgement": (HouseRule.Rule.RULES.value, Acknowledgement.Document.RULES.value, Document.Kind.RULES),
    "addendum": (HouseRule.Rule.ADDENDUM.value, Acknowledgement.Document.ADDENDUM.value, Document.Kind.PRIVILEGED),
}
# what is reviewed at a facility -> rule of the catalogue
REVIEWS: Final = {
    Deadline.Kind.REVIEW.value: (AccessReview.Extent.ACCOUNTS.value, PolicyKind.REVIEW.value),
    "privileges": (AccessReview.Extent.PRIVILEGES.value, PolicyKind.PRIVILEGE_REVIEW.value),
}
TYPED: Final = 1  # the house key of an obligation whose day was typed

_PRIVILEGED: Final = (
    "EXISTS (SELECT 1 FROM accounts_portalaccount a JOIN accounts_rolegrant g ON g.account_id = a.id"
    " JOIN systems_systemrole r ON r.id = g.role_id AND r.privileged"
    " WHERE a.person_id = p.id AND a.status <> 'removed' AND g.voided_at IS NULL"
    " AND g.valid_from <= %s AND (g.valid_to IS NULL OR g.valid_to >= %s))"
)
_PICKUP: Final = "pickup"
_FILE: Final = Obligation.Kind.MFT_FILE.value
_MAILBOX: Final = "(SELECT s.id FROM systems_system s WHERE s.slug = 'mft')"
_HELD_THERE: Final = (
    "EXISTS (SELECT 1 FROM accounts_rolegrant g JOIN accounts_portalaccount a ON a.id = g.account_id"
    " JOIN systems_systemrole r ON r.id = g.role_id {which}"
    " WHERE g.facility_id = f.id AND a.status <> 'removed' AND g.voided_at IS NULL"
    " AND g.valid_from <= %s AND (g.valid_to IS NULL OR g.valid_to >= %s))"
)
_MEMBER: Final = (
    "EXISTS (SELECT 1 FROM facilities_membership m"
    " WHERE m.user_id = p.user_id AND m.organization_id = p.organization_id AND m.ended_at IS NULL)"
)
_STAYS: Final = (
    "(NOT EXISTS (SELECT 1 FROM staff_employment e WHERE e.person_id = p.id AND e.voided_at IS NULL)"
    " OR EXISTS (SELECT 1 FROM staff_employment e WHERE e.person_id = p.id AND e.voided_at IS NULL"
    " AND (e.valid_to IS NULL OR e.valid_to >= %s)))"
)


def follow_duties(*, at: datetime, organization: int | None = None) -> Moved:
    """Bring acknowledgements and obligations, of one organization or all, in line with the facts and the catalogue.

    Who is a member or holds a privileged role changes in many places and by the day; so this is looked at whole, in
    the organizations that switched the rule on only, by one statement per rule. Repeating it writes nothing.
    """
    chains = policy_chains()
    total = Moved()
    with transaction.atomic():
        for kind, (rule, _, _) in DOCUMENTS.items():
            total += _bring_acknowledgements(kind, _where_switched("p", rule, organization), at, chains)
        for kind in REVIEWS:
            total += _bring_reviews(kind, _where_switched("f", HouseRule.Rule.REVIEW, organization), at, chains)
        if organization is None and Obligation.objects.exists():
            total += _bring_obligations(Chosen("o.id > %s", [0]), at, chains)
    return total


def _where_switched(table: str, rule: str, organization: int | None) -> Chosen:
    """Return the rows of the organizations that switched the rule on, or on and off again."""
    rules = HouseRule.objects.filter(rule=rule)
    if organization is not None:
        rules = rules.filter(organization=organization)
    keys = sorted(set(rules.values_list("organization_id", flat=True)))
    return Chosen(f"{table}.organization_id IN ({', '.join(str(int(key)) for key in keys) or '0'})", [])


def recompute_acknowledgements(*, people: Sequence[int], at: datetime) -> Moved:
    """Bring the acknowledgements that these people owe in line. Inside the caller's transaction; safe to repeat."""
    chosen = Chosen(f"p.id IN ({', '.join(['%s'] * len(people))})", list(people))
    chains = policy_chains()
    return sum((_bring_acknowledgements(kind, chosen, at, chains, tell=False) for kind in DOCUMENTS), Moved())


def recompute_reviews(*, facilities: Sequence[int], at: datetime) -> Moved:
    """Bring the reviews of access that these facilities owe in line. Inside the caller's transaction; repeatable."""
    chosen = Chosen(f"f.id IN ({', '.join(['%s'] * len(facilities))})", list(facilities))
    chains = policy_chains()
    return sum((_bring_reviews(kind, chosen, at, chains, tell=False) for kind in REVIEWS), Moved())


def recompute_obligations(*, obligations: Sequence[int], at: datetime) -> Moved:
    """Bring the deadlines of these obligations in line. Inside the caller's transaction; safe to repeat."""
    chosen = Chosen(f"o.id IN ({', '.join(['%s'] * len(obligations))})", list(obligations))
    return _bring_obligations(chosen, at, policy_chains(), tell=False)


def _bring_acknowledgements(kind: str, chosen: Chosen, at: datetime, chains: Chains, *, tell: bool = True) -> Moved:
    on = day_in(at, EASTERN)
    rule, document, catalogued = DOCUMENTS[kind]
    enabled = dict(HouseRule.objects.filter(rule=rule, voided_at=None).values_list("pk", "enabled_on"))
    versions = Document.objects.filter(kind=catalogued).values_list("in_force_from", flat=True)
    asked = Chosen(chosen.sql, [*_days(kind, on), *chosen.params, *_days(kind, on)])
    return bring_in_line(
        chosen=asked,
        kinds=[kind],
        at=at,
        chains=chains,
        selects=[_acknowledgements(kind, rule, document, chosen)],
        says=partial(_acknowledged, chains, enabled, list(versions)),
        meanwhile=partial(_tell, Person, kind, at) if tell else None,
    )


def _days(kind: str, on: date) -> list[Any]:
    today = connection.ops.adapt_datefield_value(on)
    return [today, today, today]


def _acknowledgements(kind: str, rule: str, document: str, chosen: Chosen) -> str:
    hook = HOOKS[kind]
    last = (
        "(SELECT max(k.acknowledged_on) FROM accounts_acknowledgement k WHERE k.person_id = p.id"
        f" AND k.document = '{document}' AND k.voided_at IS NULL)"
    )
    owes = f"h.id IS NOT NULL AND ({_PRIVILEGED}{f' OR {_MEMBER}' if rule == 'R-13' else ''}) AND {_STAYS}"
    return (
        f"SELECT '{kind}' AS kind, p.id AS subject_id, p.organization_id, 0 AS system_id,"
        f" CASE WHEN {owes} THEN COALESCE({last}, h.enabled_on) END AS basis_on,"
        # Which rule of the organization counts; negative for whoever never acknowledged.
        f" COALESCE(CASE WHEN {last} IS NULL THEN -h.id ELSE h.id END, 0) AS house_days,"
        f" CAST(NULL AS date) AS check_on, {STORED}"
        f" FROM staff_person p LEFT JOIN accounts_houserule h ON h.organization_id = p.organization_id"
        f" AND h.rule = '{rule}' AND h.voided_at IS NULL"
        f" LEFT JOIN accounts_deadline x ON x.kind = '{Deadline.Kind.ACKNOWLEDGEMENT.value}'"
        f" AND x.subject_key = '{hook.prefix}' || p.id || '{hook.suffix}'"
        f" WHERE {chosen.sql} AND (({owes}) OR x.id IS NOT NULL)"
    )


def _acknowledged(
    chains: Chains,
    enabled: Mapping[int, date],
    versions: Sequence[date],
    kind: str,
    _system: int,
    house: int,
    basis: date,
) -> Answer | None:
    found = acknowledgement_due(
        last_on=basis if house > 0 else None,
        enabled_on=enabled[abs(house)],
        chain=chains.get((None, kind), ()),
        in_force_from=versions,
    )
    return of_version(found)


def _bring_reviews(kind: str, chosen: Chosen, at: datetime, chains: Chains, *, tell: bool = True) -> Moved:
    on = day_in(at, EASTERN)
    _, rule = REVIEWS[kind]
    return bring_in_line(
        chosen=Chosen(chosen.sql, [*_days(kind, on), *chosen.params, *_days(kind, on)]),
        kinds=[kind],
        at=at,
        chains=chains,
        selects=[_reviews(kind, chosen)],
        says=lambda _kind, _system, _house, basis: of_version(due(basis, chains.get((None, rule), ()))),
        meanwhile=partial(_tell, Facility, kind, at) if tell else None,
    )


def _reviews(kind: str, chosen: Chosen) -> str:
    """Counted from the last review, never from before the rule was switched on; nothing where nobody has access."""
    hook, (extent, _) = HOOKS[kind], REVIEWS[kind]
    last = (
        "(SELECT max(v.reviewed_on) FROM accounts_accessreview v WHERE v.facility_id = f.id"
        f" AND v.extent = '{extent}' AND v.voided_at IS NULL)"
    )
    held = _HELD_THERE.replace("{which}", "AND r.privileged" if extent == AccessReview.Extent.PRIVILEGES else "")
    owes = f"h.id IS NOT NULL AND (f.closed_on IS NULL OR f.closed_on >= %s) AND {held}"
    return (
        f"SELECT '{kind}' AS kind, f.id AS subject_id, f.organization_id, 0 AS system_id,"
        f" CASE WHEN {owes} THEN CASE WHEN {last} > h.enabled_on THEN {last} ELSE h.enabled_on END END AS basis_on,"
        f" 0 AS house_days, CAST(NULL AS date) AS check_on, {STORED}"
        " FROM facilities_facility f LEFT JOIN accounts_houserule h ON h.organization_id = f.organization_id"
        f" AND h.rule = '{HouseRule.Rule.REVIEW.value}' AND h.voided_at IS NULL"
        f" LEFT JOIN accounts_deadline x ON x.kind = '{Deadline.Kind.REVIEW.value}'"
        f" AND x.subject_key = '{hook.prefix}' || f.id || '{hook.suffix}'"
        f" WHERE {chosen.sql} AND (({owes}) OR x.id IS NOT NULL)"
    )


def _bring_obligations(chosen: Chosen, at: datetime, chains: Chains, *, tell: bool = True) -> Moved:
    kind = Deadline.Kind.OBLIGATION.value
    counted = published(kind, chains)
    system = str(int(counted[0] if counted else 0))
    return bring_in_line(
        chosen=chosen,
        kinds=[kind, _PICKUP],
        at=at,
        chains=chains,
        selects=[
            _obligations(kind, system, f"o.kind <> '{_FILE}' AND ({chosen.sql})"),
            _obligations(_PICKUP, _MAILBOX, f"o.kind = '{_FILE}' AND ({chosen.sql})"),
        ],
        says=partial(_owed, chains),
        meanwhile=partial(_tell, Obligation, kind, at) if tell else None,
    )


def _obligations(kind: str, system: str, where: str) -> str:
    """Counted from the event, or on the typed day. A file in a mailbox is a window of the system that keeps it."""
    return (
        f"SELECT '{kind}' AS kind, o.id AS subject_id, o.organization_id, {system} AS system_id,"
        " CASE WHEN o.voided_at IS NULL AND o.met_on IS NULL THEN COALESCE(o.typed_due_on, o.event_on) END AS basis_on,"
        f" CASE WHEN o.typed_due_on IS NULL THEN 0 ELSE {TYPED} END AS house_days,"
        f" CAST(NULL AS date) AS check_on, {STORED} FROM accounts_obligation o"
        f" LEFT JOIN accounts_deadline x ON x.obligation_id = o.id AND x.kind = '{HOOKS[kind].kind or kind}'"
        f" WHERE {where}"
    )


def _owed(chains: Chains, kind: str, system: int, house: int, basis: date) -> Answer | None:
    if house == TYPED:
        return Answer(basis, None, EASTERN, None, 0)
    chain = chains.get((system, HOOKS[kind].kind or kind), ())
    return of_version(due(basis, chain) if chain else None)


def _tell(model: Any, kind: str, at: datetime, moved: Moved) -> None:
    if not moved:
        return
    prefix = HOOKS[kind].prefix
    rows = changed(model).annotate(
        chain=Concat(Value("organization:"), Cast("organization_id", CharField())),
        subject_key=Concat(Value(prefix), Cast("pk", CharField())),
    )
    record_digest(action="deadline.recomputed", actor=SWEEP, subject=Ref(f"rule:{kind}", kind), at=at, rows=rows)
