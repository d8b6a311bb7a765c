"""`manage.py create_organization SLUG --name … --zone … --admin EMAIL`: the first administrator's door."""

from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.urls import reverse
from django.utils import timezone

from audit.commands import ContractCommand, Outcome, Refused
from audit.services import Ref
from facilities.errors import FacilitiesError
from facilities.services.organizations import create_organization


class Command(ContractCommand):
    help = "Make an organization (or find it) and print a single-use invitation for its administrator."

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="short name in addresses: lower-case letters, digits, hyphens")
        parser.add_argument("--name", required=True, help="name people read")
        parser.add_argument("--zone", required=True, help="IANA time zone such as America/Chicago")
        parser.add_argument("--admin", required=True, metavar="EMAIL", help="who administers it")

    def run(self, **options: Any) -> Outcome:
        try:
            organization, issued, created = create_organization(
                slug=options["slug"],
                name=options["name"],
                zone=options["zone"],
                admin_email=options["admin"],
                actor=Ref("command:create_organization", "manage.py create_organization"),
                at=timezone.now(),
            )
        except FacilitiesError as exc:
            place = {"slug": "SLUG", "email": "--admin"}.get(exc.field, f"--{exc.field}" if exc.field else "")
            raise Refused(exc.code, exc.message, place) from exc
        document: dict[str, Any] = {"organization": organization.slug, "created": created, "invitation": None}
        document |= {"name": organization.name, "zone": organization.zone, "kept": []}
        lines = [f"{organization.name} ({organization.slug}) {'created' if created else 'exists already'}."]
        for option, stands in (("name", organization.name), ("zone", organization.zone)):
            if stands != (asked := options[option].strip()):
                document["kept"].append(option)
                lines.append(f"Its {option} stays “{stands}”: --{option} “{asked}” changes nothing of what exists.")
        if issued is None:
            lines.append(f"{options['admin']} administers it already; no invitation is needed.")
        else:
            link = settings.SITE_URL + reverse("web:join", args=[issued.token])
            document |= {"invitation": link, "expires_at": issued.invitation.expires_at}
            until = f"{issued.invitation.expires_at:%d %b %Y}"
            lines += [f"Invitation for {issued.invitation.email}, to be used once before {until}:", link]
        return Outcome(document, lines)
