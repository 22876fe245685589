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

import pytest
from psycopg.conninfo import conninfo_to_dict

UNPRIVILEGED = 65534  # the user `nobody`: pgbouncer refuses to run as root
PORT = 6432  # names the unix socket; nothing listens on TCP
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


@contextmanager
def pgbouncer(url: str) -> Iterator[str]:
    """The URL of the same database through a pooler that ends with the block.

    It listens on a unix socket in a folder of its own, so that no two test runs meet on a port.
    Without pgbouncer the test is skipped, in CI it fails.
    """
    binary = pgbouncer_binary()
    with tempfile.TemporaryDirectory(prefix="pgbouncer-") as name:
        folder = Path(name)
        user = UNPRIVILEGED if os.geteuid() == 0 else None
        config = folder / "ini"
        config.write_text(CONFIG.format(server=server_of(url), folder=folder, port=PORT))
        for path in (folder, config):
            if user is not None:
                os.chown(path, user, user)
        database = url.partition("?")[0].rsplit("/", 1)[1]
        process = subprocess.Popen([binary, str(config)], user=user, stderr=subprocess.DEVNULL)
        try:
            wait_for_socket(process, folder)
            yield f"postgresql://postgres@/{database}?host={quote(name)}&port={PORT}"
        finally:
            process.terminate()
            process.wait(10)


def pgbouncer_binary() -> str:
    # Debian puts it where only root looks by default.
    binary = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if binary is None:
        sentence = "pgbouncer is not installed; `apt-get install pgbouncer` brings it."
        if os.getenv("INSIGHTS_CI"):
            pytest.fail(sentence)
        pytest.skip(sentence)
    return binary


def server_of(url: str) -> str:
    """The server of a URL as pgbouncer's configuration writes it."""
    parts = conninfo_to_dict(url)
    named = ("host", "port", "user", "password")
    return " ".join(f"{name}='{parts[name]}'" for name in named if parts.get(name))


def wait_for_socket(process: "subprocess.Popen[bytes]", folder: Path) -> None:
    deadline = time.monotonic() + 10
    while not (folder / f".s.PGSQL.{PORT}").exists():
        assert process.poll() is None, (folder / "log").read_text()
        assert time.monotonic() < deadline, "pgbouncer does not answer"
        time.sleep(0.02)
