"""Stand-ins for pages, in the product's own stack: a plain string, and a page rendered from constants.

The addresses of the product with two more; for `bench.pages` alone. Both want a signed-in member, as every page does.
"""

from typing import Any
from unittest import mock

from django.http import HttpRequest, HttpResponse
from django.template import Template
from django.template.loader import get_template
from django.test import Client
from django.test.utils import instrumented_test_render
from django.urls import path

from config.urls import urlpatterns as _of_product

_PAGES: dict[str, tuple[str, dict[str, Any]]] = {}


def keep(name: str, client: Client, address: str) -> None:
    """Keep what a page of the product is rendered from, so that it can be rendered again without a question asked."""
    with mock.patch.object(Template, "_render", instrumented_test_render):
        answer: Any = client.get(address)
    values: dict[str, Any] = {}
    for each in reversed(list(answer.context)):
        values |= each.flatten()
    _PAGES[name] = (answer.templates[0].name, values)


def string(request: HttpRequest) -> HttpResponse:
    """Answer with a string."""
    return HttpResponse("Portalkeeper")


def constants(request: HttpRequest, name: str) -> HttpResponse:
    """Answer with a kept page."""
    template, values = _PAGES[name]
    return HttpResponse(get_template(template).render(values, request))


urlpatterns = [*_of_product, path("bench/string/", string), path("bench/constants/<slug:name>/", constants)]
