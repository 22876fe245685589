"""A server that takes connections and never says a word, as one whose machine hangs."""

import socket
import threading
from contextlib import suppress

from pydantic import SecretStr


class SilentServer:
    """Counts its connections, and keeps them open until it is closed."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.taken: list[socket.socket] = []
        threading.Thread(target=self.take, daemon=True).start()

    def take(self) -> None:
        while True:
            try:
                self.taken.append(self.socket.accept()[0])
            except OSError:
                return

    @property
    def connections(self) -> int:
        """How many there were."""
        return len(self.taken)

    @property
    def as_postgres(self) -> SecretStr:
        """The URL at which a PostgreSQL would be."""
        return SecretStr(f"postgresql://postgres@127.0.0.1:{self.socket.getsockname()[1]}/none")

    @property
    def as_redis(self) -> SecretStr:
        """The URL at which a Redis would be."""
        return SecretStr(f"redis://127.0.0.1:{self.socket.getsockname()[1]}")

    def close(self) -> None:
        """Refuse further connections, and end those that are open."""
        with suppress(OSError):  # it was closed before
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        for each in self.taken:
            each.close()
