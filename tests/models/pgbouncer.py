"""A real pgbouncer in transaction mode, with few connections, in front of a test's PostgreSQL."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from psycopg.conninfo import conninfo_to_dict

NOBODY = 65534
PORT = 6432
CONFIG = """
[databases]
* = {server}

[pgbouncer]
listen_addr =
unix_socket_dir = {folder}
listen_port = {port}
auth_type = any
pool_mode = transaction
default_pool_size = 2
server_reset_query =
max_client_conn = 100
logfile = {folder}/log
"""


def find() -> str | None:
    """The binary. Debian puts it where only root looks by default."""
    return shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


@contextmanager
def pooled(binary: str, url: str) -> Iterator[str]:
    """The URL of the same database through a pooler that ends with the block.

    It listens on a unix socket of its own, so that no two test runs meet on a port.
    """
    with tempfile.TemporaryDirectory(prefix="pgbouncer-") as name:
        folder = Path(name)
        user = NOBODY if os.geteuid() == 0 else None
        config = folder / "ini"
        config.write_text(CONFIG.format(server=server_of(url), folder=folder, port=PORT))
        for path in (folder, config):
            if user is not None:
                os.chown(path, user, user)
        through = f"{url.partition('?')[0].rsplit('/', 1)[1]}?host={quote(name)}&port={PORT}"
        process = subprocess.Popen([binary, str(config)], user=user, stderr=subprocess.DEVNULL)
        try:
            wait(process, folder)
            yield f"postgresql://postgres@/{through}"
        finally:
            process.terminate()
            process.wait(10)


def server_of(url: str) -> str:
    """How pgbouncer's configuration writes where the server is."""
    parts = conninfo_to_dict(url)
    named = ("host", "port", "user", "password")
    return " ".join(f"{name}='{parts[name]}'" for name in named if parts.get(name))


def wait(process: "subprocess.Popen[bytes]", folder: Path) -> None:
    """Return when the pooler answers."""
    deadline = time.monotonic() + 10
    while not (folder / f".s.PGSQL.{PORT}").exists():
        assert process.poll() is None, (folder / "log").read_text()
        assert time.monotonic() < deadline
