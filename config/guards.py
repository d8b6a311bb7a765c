"""What must be true before a production process serves or works."""

from django.conf import settings

from config.env import EnvironmentRefused


def refuse_demo_sign_ins() -> None:
    """Raise EnvironmentRefused while a demo user can sign in to a production installation.

    Their password is printed in the documentation (design 9.13).
    """
    if settings.EMBEDDED:
        return
    from users.models import User  # apps are loaded by now, not when this module is

    active = User.objects.filter(is_demo=True, is_active=True).order_by("email").values_list("email", flat=True)
    if names := ", ".join(active[:5]):
        raise EnvironmentRefused(
            "DATABASE_URL",
            f"demo sign-ins are active in this database ({names}); deactivate them or use a fresh database.",
        )
