"""The rows of the list of people: where they work, what they hold, the soonest date."""

from collections import defaultdict
from datetime import date
from typing import Any

from django.urls import reverse

from accounts.models import PortalAccount
from accounts.words import count_noun, day, in_days, listed
from facilities.access import Scope
from facilities.models import Facility
from staff.models import Employment, Person
from web.standings import Held, all_held, worst

COLUMNS = ("Person", "Works at", "Accounts", "Next date")
BY_NAME = ("last_name", "first_name", "pk")


def people_rows(scope: Scope, rows: list[Person], on: date) -> list[dict[str, Any]]:
    """Return the table's rows. Three queries, whatever their number."""
    jobs = jobs_by_person(scope, rows)
    held: dict[int, list[Held]] = defaultdict(list)
    accounts = PortalAccount.objects.visible_to(scope).open().filter(person__in=rows)
    for each in all_held(accounts, on):
        held[each.account.person_id].append(each)
    return [
        {
            "cells": [
                {
                    "text": str(person),
                    "url": reverse("web:person", args=[scope.organization.slug, person.pk]),
                    "note": titles(jobs[person.pk]),
                },
                place_cell(jobs[person.pk], on),
                {"text": count_noun(len(held[person.pk]), "account,accounts").capitalize()},
                _date_cell(held[person.pk], on),
            ]
        }
        for person in rows
    ]


def jobs_by_person(scope: Scope, rows: list[Person]) -> dict[int, list[Employment]]:
    """Return where each of the people works, worked or will work, as far as the member reads it. One query."""
    jobs: dict[int, list[Employment]] = defaultdict(list)
    known = Employment.objects.known().filter(person__in=rows, facility__in=Facility.objects.visible_to(scope))
    for job in known.select_related("facility").order_by("facility__name", "pk"):
        jobs[job.person_id].append(job)
    return jobs


def titles(jobs: list[Employment]) -> str:
    """Return the names of the jobs."""
    return ", ".join(dict.fromkeys(job.job_title for job in jobs if job.job_title))


def place_cell(jobs: list[Employment], on: date) -> dict[str, Any]:
    """Return where somebody works, or since when no longer."""
    current = [job for job in jobs if works(job, on)]
    if current:
        return {"text": listed(dict.fromkeys(job.facility.name for job in current))}
    past = [job.valid_to for job in jobs if job.valid_to and job.valid_to < on]
    if past:
        return {"text": f"Left on {day(max(past))}"}
    ahead = [job for job in jobs if job.valid_from > on]
    if ahead:
        first = min(ahead, key=lambda job: job.valid_from)
        return {"text": first.facility.name, "note": f"From {day(first.valid_from)}"}
    return {"text": "No place of work"}


def works(job: Employment, on: date) -> bool:
    return job.valid_from <= on and (job.valid_to is None or job.valid_to >= on)


def _date_cell(held: list[Held], on: date) -> dict[str, Any]:
    if not held:
        return {"text": "Nothing to watch"}
    soonest = min((each.next_on for each in held if each.next_on), default=None)
    return {
        "standing": worst(each.standing for each in held),
        "text": day(soonest) or "No date",
        "note": in_days(soonest, on),
    }
