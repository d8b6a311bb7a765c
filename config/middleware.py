"""Gives every request an id that logs and audit rows share, and every answer words."""

import re
import uuid
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from audit.context import request_id

_GIVEN = re.compile(r"[A-Za-z0-9-]{8,64}\Z")


class RequestId:
    """Take X-Request-ID from the proxy if it is well-formed, else make one; answer with it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        value = given if _GIVEN.match(given) else uuid.uuid4().hex
        token = request_id.set(value)
        try:
            response = self.get_response(request)
        finally:
            request_id.reset(token)
        response["X-Request-ID"] = value
        return response


class OnlyDone:
    """Where the address of a deed is opened as a page (reloaded, kept as a bookmark), say so instead of nothing."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code != 405 or request.method != "GET" or response.content:
            return response
        words = render(request, "405.html", status=405)
        words["Allow"] = response["Allow"]
        return words
