"""Django's admin as a window, not a door: read-only, off unless ADMIN_PATH is set, second factor required.

A writable admin would pass by every service, audit row and tenant scope (design 9.13).
"""

from allauth.account.decorators import secure_admin_login
from allauth.mfa.utils import is_mfa_enabled
from django.apps import apps
from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from users.adapters import FACTORS

APPS = ("audit", "users", "systems", "facilities", "imports", "staff", "accounts", "reminders")
HIDDEN_FIELDS = {"password", "token_hash"}


class ReadOnly(admin.ModelAdmin):
    """Shows rows; every way to change one is shut."""

    show_full_result_count = False
    actions = None

    def __init__(self, model: type[Model], admin_site: admin.AdminSite) -> None:
        shown = [field.name for field in model._meta.fields if field.name not in HIDDEN_FIELDS]
        self.list_display = tuple(shown[:8])
        super().__init__(model, admin_site)

    def get_exclude(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        """Leave out what would help somebody sign in."""
        return [field.name for field in self.model._meta.fields if field.name in HIDDEN_FIELDS]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Never."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Never."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Never."""
        return False

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Whoever the site lets in."""
        return self.admin_site.has_permission(request)

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Whoever the site lets in."""
        return self.admin_site.has_permission(request)


class Window(admin.AdminSite):
    """Lets in active staff users with a second factor."""

    site_header = site_title = "Portalkeeper, read-only"

    def has_permission(self, request: HttpRequest) -> bool:
        """Staff with a second factor; a password alone is not enough."""
        user = request.user
        return bool(user.is_active and getattr(user, "is_staff", False) and is_mfa_enabled(user, FACTORS))


def window() -> Window:
    """Return the site with every model of ours."""
    site = Window(name="admin")
    for app in APPS:
        for model in apps.get_app_config(app).get_models():
            site.register(model, ReadOnly)
    site.login = secure_admin_login(site.login)  # type: ignore[method-assign]
    return site
