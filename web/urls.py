"""Addresses of the pages. Everything of a tenant lies below /o/<slug>/."""

from django.urls import path

from web.views import home, style

app_name = "web"
urlpatterns = [
    path("", home.home, name="home"),
    path("style/", style.style, name="style"),
]
