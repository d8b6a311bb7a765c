"""The id that ties log lines and audit rows of one request (or one command run) together."""

from contextvars import ContextVar

request_id: ContextVar[str] = ContextVar("request_id", default="")
