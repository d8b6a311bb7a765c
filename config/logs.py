"""JSON logs on standard error, each line with the request id and never with names, IDs, bodies or secret links."""

import logging.config
import re
from typing import Any

import structlog

from audit.context import request_id


def _add_request_id(_logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    event["request_id"] = request_id.get()
    return event


# Addresses that are secrets themselves: whoever reads them could use them.
_SECRET = re.compile(r"(/(?:join|calendar|auth/password/reset/key|auth/confirm-email)/)[^/\s\"']+")


def _hide_secret_addresses(_logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    return {key: _SECRET.sub(r"\1...", value) if isinstance(value, str) else value for key, value in event.items()}


_SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    _add_request_id,
]


def logging_settings(level: str) -> dict[str, Any]:
    """Return the dictConfig: everything to standard error as one JSON object a line."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "json": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": _SHARED,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    structlog.processors.format_exc_info,
                    _hide_secret_addresses,
                    structlog.processors.JSONRenderer(),
                ],
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {"django.server": {"handlers": ["stderr"], "propagate": False}},
    }


def configure(settings: dict[str, Any]) -> None:
    """Apply the dictConfig and point structlog at it (Django's LOGGING_CONFIG)."""
    logging.config.dictConfig(settings)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_SHARED,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.processors.format_exc_info,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
