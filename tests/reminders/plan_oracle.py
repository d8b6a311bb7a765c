"""What design section 3 says of ladders and recipients, retold as a loop over single deadlines: judges the planner."""

from datetime import timedelta

from accounts.models import Deadline, HouseWindow, RequestHouse, RoleGrant
from facilities.models import Membership
from staff.models import Absence, Deputy, Employment, Person
from tests.requests.statute import federal_holidays

FIXED = {
    "deletion": (30, 14, 7, 1),
    "acknowledgement": (30, 14, 7, 1),
    "certification": (60, 30, 14, 7, 1),
    "review": (14, 7, 1),
    "obligation": (14, 7, 3, 1),
    "temporary": (14, 7, 1),
    "removal": (7, 1, 0),
    "request-step": (366, 0),  # when it opens, and on its day
}


def steps_of(deadline):
    """Days left at which somebody is told, the day after left out; None where nobody ever is."""
    if deadline.kind in FIXED:
        return FIXED[deadline.kind]
    if deadline.policy is None:
        own = HouseWindow.objects.filter(organization=deadline.organization, system=deadline.account.system).first()
        if own is None:
            return (30,)  # mentioned at 60 days, flagged at 90
        return (own.flag_days - own.mention_days,) if own.enabled else None
    limit = deadline.policy.limit_days
    return (20, 10, 5, 2) if limit >= 60 else tuple(sorted({limit // 3, limit // 6, 2}, reverse=True))


def step_on(deadline, steps, on):
    """The newest step that is due on a day."""
    left = ((deadline.target_on or deadline.due_on) - on).days
    if left >= 0:
        return min((step for step in steps if step >= left), default=None)
    if deadline.kind == "removal":
        return left
    if deadline.kind == "request-step":
        worked = business_days_between(deadline.due_on, on)
        return -3 if worked >= 3 else -1 if worked else 0
    if deadline.target_on is None:
        return -1
    cms = (deadline.due_on - on).days
    return -1 if cms > 2 else -2 if cms >= 0 else -3


def business_days_between(day, on):
    days = [day + timedelta(days=number) for number in range(1, (on - day).days + 1)]
    return len([each for each in days if each.weekday() < 5 and each not in federal_holidays(each.year)])


def works(person, on):
    times = Employment.objects.filter(person=person, voided_at=None)
    return [each for each in times if each.valid_to is None or each.valid_to >= on]


def has_left(person, on):
    return Employment.objects.filter(person=person, voided_at=None).exists() and not works(person, on)


def in_force(grant, on):
    return grant.voided_at is None and grant.valid_from <= on and (grant.valid_to is None or grant.valid_to >= on)


def administrators(organization, places, on):
    """People who administer one of these facilities; ``places`` None: the organization as a whole."""
    found = set()
    for member in Membership.objects.filter(organization=organization, role="administrator", ended_at=None):
        at_large = member.facility_id is None
        if (at_large if places is None else member.facility_id in places) and member.user.is_active:
            found |= set(Person.objects.filter(user=member.user, organization=organization).exclude(email=""))
    return {person for person in found if not has_left(person, on)}


def places_of(deadline, subject, on):
    if deadline.account:
        return {
            grant.facility_id for grant in RoleGrant.objects.filter(account=deadline.account) if in_force(grant, on)
        }
    if deadline.grant:
        return {deadline.grant.facility_id}
    if deadline.person:
        return {each.facility_id for each in works(subject, on) if each.valid_from <= on}
    return {deadline.facility_id or deadline.obligation.facility_id}


def approvers(deadline, subject, officials, on):
    """Who certifies the role: whoever holds the official's role at that facility on that system, herself excepted."""
    if deadline.grant is None:
        return set()
    rows = RoleGrant.objects.filter(
        facility=deadline.grant.facility_id,
        role__in=officials,
        account__system=deadline.grant.account.system_id,
        account__status="active",
        account__person__organization=deadline.organization,
    ).exclude(account__person__email="")
    found = {grant.account.person for grant in rows if in_force(grant, on)} - {subject}
    return {person for person in found if not has_left(person, on)}


def lasts(row, on):
    return row.voided_at is None and row.valid_from <= on and (row.valid_to is None or row.valid_to >= on)


def deputies(subject, on):
    found = {row.deputy for row in Deputy.objects.filter(person=subject) if lasts(row, on)}
    return {person for person in found if person.email and not has_left(person, on)}


def those_who_decide(request, on):
    """Confirmed third people with a role that decides there, with the outside deputy where they are too few."""
    own = {request.requester_person, request.beneficiary_person}
    roles = {"administrator"} if request.role.privileged else {"administrator", "approver"}
    found = set()
    for member in Membership.objects.filter(organization=request.organization, role__in=roles, ended_at=None):
        if member.facility_id in (None, request.facility_id) and member.user.is_active:
            found |= set(Person.objects.filter(user=member.user, user_confirmed_at__isnull=False))
    found = {person for person in found - own if not has_left(person, on)}
    house = RequestHouse.objects.filter(organization=request.organization).first()
    if len(found) < request.approvers_needed and house:
        found |= {house.outside_deputy} - own
    return found


def hears_of_step(deadline, officials, on):
    """As `hears`, of a step of a request: whose turn it is, from its opening on."""
    step, request = deadline.request_step, deadline.request_step.request
    subject, decide = None, set()
    if step.actor == "approver":
        decide = {person for person in those_who_decide(request, on) if person.email}
    elif step.actor == "official":
        rows = RoleGrant.objects.filter(
            facility=request.facility, role__in=officials, account__system=request.system, account__status="active"
        )
        people = {grant.account.person for grant in rows if in_force(grant, on)}
        decide = {person for person in people if person.email and not has_left(person, on)}
    else:
        subject = request.beneficiary_person if step.actor == "holder" else request.requester_person
    there = subject is not None and not has_left(subject, on)
    here = administrators(deadline.organization, {request.facility_id}, on)
    owned = there or bool(decide)
    alone = step.actor in ("holder", "official", "approver") and owned
    joins = dict.fromkeys(administrators(deadline.organization, None, on), -3 if owned or here else 366)
    joined = -1 if alone else 366
    for people, first in ((here, joined), (decide, 366), ({subject} if there and subject.email else set(), 366)):
        joins |= {person: max(first, joins.get(person, first)) for person in people}
    if there:
        away = any(lasts(row, on) for row in Absence.objects.filter(person=subject))
        first = 366 if away else -1
        joins |= {person: max(first, joins.get(person, first)) for person in deputies(subject, on)}
    return {person: (first, first) for person, first in joins.items()}


def hears(deadline, officials, on):
    """Person -> the first step at which she hears of the deadline, and the first that she can have missed."""
    if deadline.request_step:
        return hears_of_step(deadline, officials, on)
    steps = steps_of(deadline)
    first, last = steps[0], steps[-1]
    third = steps[min(2, len(steps) - 1)]
    if len(steps) == 1:
        third = last = -1
    account = deadline.account or (deadline.grant and deadline.grant.account)
    subject = account.person if account else deadline.person
    gone = subject is not None and has_left(subject, on)
    here = administrators(deadline.organization, places_of(deadline, subject, on), on)
    above = administrators(deadline.organization, None, on)
    found = {}

    def add(people, joins, missed=None):
        missed = joins if missed is None else missed
        for person in people:
            known = found.get(person, (joins, missed))
            found[person] = max(joins, known[0]), max(missed, known[1])

    if deadline.kind == "certification":
        decide = approvers(deadline, subject, officials, on)
        add(decide, first)
        if subject.email and not gone:
            add({subject}, -1)
        add(here, third if decide else first)
        add(above, last if decide or here else first)
    elif subject is None:
        add(here, first)
        add(above, last if here else first)
    else:
        if subject.email and not gone:
            add({subject}, first)
        # While she worked here, administrators joined at the third step.
        add(here, first if gone else third, third if deadline.account else None)
        alone = gone and deadline.account is None and not here
        add(above, first if alone else last)
    if subject is not None and not gone:
        away = any(lasts(row, on) for row in Absence.objects.filter(person=subject))
        her_own = -1 if deadline.kind == "certification" else first
        add(deputies(subject, on), her_own if away else min(her_own, third))
    return found


def expected(officials, days, known):
    """(deadline, cycle, step, person) -> state of all that is to be planned; ``days``: zone -> its day."""
    wanted = {}
    rows = Deadline.objects.filter(closed_at=None, muted=False, organization__reminders_started_at__isnull=False)
    for deadline in rows.select_related("account__person", "grant__account__person", "policy", "obligation"):
        account = deadline.account or (deadline.grant and deadline.grant.account)
        steps = steps_of(deadline)
        if steps is None or (account and account.status == "removed"):
            continue
        on = days[deadline.zone]
        step = step_on(deadline, steps, on)
        if step is None:
            continue
        for person, (joins, missable) in hears(deadline, officials, on).items():
            key = (deadline.pk, deadline.cycle, step, person.pk)
            if step > joins or key in known:
                continue
            wanted[key] = "planned"
            behind = steps if deadline.kind == "removal" else (*steps, -1, -2)
            if deadline.kind == "request-step":
                behind = (*steps, -1, -3)
            for missed in behind:
                skipped = (deadline.pk, deadline.cycle, missed, person.pk)
                if step < missed <= missable and skipped not in known:
                    wanted[skipped] = "skipped"
    return wanted
