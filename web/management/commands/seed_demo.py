"""`manage.py seed_demo`: the demo organization in an empty database; `--print` shows its sign-ins and current codes."""

from typing import Any

import pyotp
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.core.management.base import CommandParser
from django.utils import timezone

from audit.commands import ContractCommand, Outcome, Refused
from facilities.models import Membership, Organization
from systems.models import System
from users.models import User
from web.demo import PASSWORD, seed_demo


class Command(ContractCommand):
    help = "Fill an empty database with a demo organization (embedded settings only)."

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument("--print", action="store_true", help="only show the demo sign-ins and their current codes")

    def run(self, **options: Any) -> Outcome:
        if not settings.EMBEDDED:
            raise Refused("production", "The demo exists under embedded settings only.")
        if options["print"]:
            return _sign_ins()
        if Organization.objects.exists():
            return Outcome({"created": False}, ["The database has organizations already; no demo was added."])
        if not System.objects.exists():
            raise Refused("catalogue", "The catalogue is empty: run `manage.py load_catalogue` first.")
        organization = seed_demo(at=timezone.now())
        return Outcome({"created": True, "organization": organization.slug}, [f"{organization.name} created."])


def _sign_ins() -> Outcome:
    """List the demo users with password and the one-time code of this moment."""
    rows = []
    for user in User.objects.filter(is_demo=True, is_active=True).order_by("email"):
        factor = Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).first()
        code = pyotp.TOTP(get_adapter().decrypt(factor.data["secret"])).now() if factor else ""
        membership = Membership.objects.open().filter(user=user).first()
        role = membership.get_role_display() if membership else "no role"
        rows.append({"email": user.email, "password": PASSWORD, "role": role, "code": code})
    lines = [f"{row['email']:34} {row['password']:20} code {row['code']:8} {row['role']}" for row in rows]
    return Outcome({"sign_ins": rows}, lines or ["There are no demo sign-ins in this database."])
