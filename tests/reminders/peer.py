"""A real SMTP server for tests: keeps what it is given, refuses whom it is told to refuse, counts connections."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP


@dataclass
class Peer:
    """What the server saw. ``replies``: address -> reply to RCPT; ``after``: replies to DATA, first come first."""

    port: int = 0
    mails: list[tuple[str, bytes]] = field(default_factory=list)
    connections: int = 0
    replies: dict[str, str] = field(default_factory=dict)
    after: list[str] = field(default_factory=list)
    hang_up_after: int | None = None  # mails after which each connection is cut

    async def handle_EHLO(self, server: Any, session: Any, envelope: Any, hostname: str, responses: list[str]) -> Any:  # noqa: N802
        self.connections += 1
        session.host_name = hostname
        session.given = 0
        return responses

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        if address in self.replies:
            return self.replies[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        if self.after:
            return self.after.pop(0)
        self.mails.append((envelope.rcpt_tos[0], envelope.original_content))
        session.given += 1
        if self.hang_up_after is not None and session.given >= self.hang_up_after:
            server.transport.close()
        return "250 Accepted"


class _Controller(Controller):
    def factory(self) -> SMTP:
        return SMTP(self.handler, hostname="peer.test")

    @property
    def chosen_port(self) -> int:
        assert self.server is not None
        return self.server.sockets[0].getsockname()[1]

    def _trigger_server(self) -> None:
        # The stock one knocks at the port it was given; ours is chosen by the system.
        with socket.create_connection(("127.0.0.1", self.chosen_port), timeout=10) as knock:
            knock.recv(100)


@contextmanager
def smtp_peer() -> Iterator[Peer]:
    """Run the server on a free loopback port for the length of the block."""
    peer = Peer()
    controller = _Controller(peer, hostname="127.0.0.1", port=0, ready_timeout=20)
    controller.start()
    try:
        peer.port = controller.chosen_port
        yield peer
    finally:
        controller.stop()
