"""Every address of the product."""

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
