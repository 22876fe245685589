"""A middlebox in front of PostgreSQL that swallows what is sent on connections that stand."""

import socket
import threading
from contextlib import suppress
from urllib.parse import quote

from psycopg.conninfo import conninfo_to_dict
from pydantic import SecretStr


class FreezingProxy:
    """Passes bytes on until a client sends `poison`, or all that stands is frozen by `freeze`.

    What a client sends on a frozen connection is taken and acknowledged, and nothing comes back.
    `frozen` counts the connections on which something was swallowed. New ones work.
    """

    def __init__(self, database_url: str) -> None:
        self.parts = conninfo_to_dict(database_url)
        self.poison: bytes | None = None
        self.frozen = 0
        self.generation = 0  # connections of an earlier one are frozen
        self.listening = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self.accept, daemon=True).start()

    @property
    def url(self) -> SecretStr:
        """The database's URL through this proxy."""
        user, password = self.parts["user"], self.parts.get("password")
        login = f"{user}:{quote(str(password))}" if password else user
        port = self.listening.getsockname()[1]
        database = self.parts["dbname"]
        return SecretStr(f"postgresql://{login}@127.0.0.1:{port}/{database}?sslmode=disable")

    def accept(self) -> None:
        with suppress(OSError):
            while True:
                client = self.listening.accept()[0]
                server = self.connect()
                for pair in ((client, server), (server, client)):
                    arguments = (*pair, self.generation)
                    threading.Thread(target=self.pass_on, args=arguments, daemon=True).start()

    def freeze(self) -> None:
        """Freeze the connections that there are."""
        self.generation += 1

    def connect(self) -> socket.socket:
        """A connection to the server, on its unix socket where it has one."""
        host, port = str(self.parts.get("host", "localhost")), self.parts.get("port", 5432)
        if not host.startswith("/"):
            return socket.create_connection((host, int(str(port))))
        server = socket.socket(socket.AF_UNIX)
        server.connect(f"{host}/.s.PGSQL.{port}")
        return server

    def pass_on(self, source: socket.socket, sink: socket.socket, generation: int) -> None:
        with suppress(OSError), source:
            while data := source.recv(65536):
                poisoned = self.poison is not None and self.poison in data
                if poisoned or generation != self.generation:
                    self.frozen += 1
                    while source.recv(65536):
                        pass
                    break
                sink.sendall(data)
        with suppress(OSError):
            sink.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Let nobody in any more."""
        with suppress(OSError):
            self.listening.shutdown(socket.SHUT_RDWR)
        self.listening.close()
