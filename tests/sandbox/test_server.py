"""The sandbox's own server."""

import socket

from tests.doubles import Doubles


def test_answers_do_not_wait_for_acknowledgements(doubles: Doubles) -> None:
    listening = doubles.server.listening

    # Connections inherit it; with Nagle's algorithm each answer came 40 ms late.
    assert listening.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
