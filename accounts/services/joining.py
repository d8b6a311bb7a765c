"""Somebody new with everything she holds, as one act."""

from collections.abc import Sequence
from datetime import date, datetime

from django.db import transaction

from accounts.services.inventory import AccountFacts, add_accounts
from facilities.access import Scope
from facilities.models import Facility
from staff.models import Person
from staff.services.people import PersonFacts, add_person


def add_person_with_accounts(
    *,
    scope: Scope,
    facility: Facility,
    facts: PersonFacts,
    job_title: str,
    starts_on: date,
    accounts: Sequence[AccountFacts],
    at: datetime,
) -> Person:
    """Add a person who works at the facility, and her accounts there: all of it is stored, or nothing.

    Raises NotAllowed, PersonRefused and AccountRefused.
    """
    with transaction.atomic():
        person = add_person(
            scope=scope, facility=facility, facts=facts, job_title=job_title, starts_on=starts_on, at=at
        )
        if accounts:
            add_accounts(scope=scope, person=person, facility=facility, accounts=accounts, at=at)
    return person
