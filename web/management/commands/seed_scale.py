"""`manage.py seed_scale --facilities N --accounts N`: the only synthetic population."""

from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.utils import timezone

from accounts.models import LoginEvent
from audit.commands import ContractCommand, Outcome, Refused, calendar_day
from systems.policy import day_in
from web.scale import Population, SeedRefused, seed_scale


class Command(ContractCommand):
    help = "Fill the database with made-up organizations, people and accounts; the same seed gives the same rows."

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument("--facilities", type=int, required=True, metavar="N")
        parser.add_argument("--accounts", type=int, required=True, metavar="N")
        parser.add_argument("--on", type=calendar_day, metavar="DATE", help="day that dates lie around (default today)")
        parser.add_argument("--seed", type=int, default=1, metavar="N", help="another one gives other rows and slugs")
        parser.add_argument(
            "--due-share", type=float, default=0.15, metavar="X", help="share of accounts inside the ladder or past it"
        )
        parser.add_argument(
            "--events", type=int, default=0, metavar="N", help="logins in all; known last logins are events anyway"
        )

        parser.add_argument(
            "--organizations", type=int, default=0, metavar="N", help="so many (default: one for 200 facilities)"
        )

    def run(self, **options: Any) -> Outcome:
        if not settings.EMBEDDED:
            raise Refused("production", "A synthetic population exists under embedded settings only.")
        try:
            population = Population(
                facilities=options["facilities"],
                accounts=options["accounts"],
                on=options["on"] or day_in(timezone.now()),
                seed=options["seed"],
                due_share=options["due_share"],
                events=options["events"],
                organizations=options["organizations"],
            )
            made = seed_scale(population=population, progress=self.progress)
        except SeedRefused as exc:
            raise Refused(exc.code, exc.message, exc.place) from exc
        organizations = [asdict(each) for each in made]
        document = {
            "on": population.on,
            "seed": population.seed,
            "organizations": organizations,
            "events": LoginEvent.objects.filter(organization__slug__in=[each.slug for each in made]).count(),
        }
        lines = [
            f"{each.slug}: {each.facilities} facilities, {each.accounts} accounts, {each.people} people"
            for each in made
        ]
        return Outcome(document, lines)
