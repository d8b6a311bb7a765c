"""Every address of the product."""

from django.conf import settings
from django.urls import include, path

from config import health

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.metrics_page, name="metrics"),
    path("auth/", include("allauth.urls")),
    path("", include("web.urls")),
]

handler500 = "web.views.errors.server_error"

if settings.ADMIN_PATH:
    from config.readonly_admin import window

    urlpatterns.append(path(settings.ADMIN_PATH, window().urls))
