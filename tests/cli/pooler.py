"""A pgbouncer in transaction mode, in front of the database of the test run."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

NOBODY = 65534


@contextmanager
def pgbouncer(url: str, folder: Path) -> Iterator[str]:
    """The URL of a pooler in front of the database at `url`; skips where there is no pgbouncer."""
    binary = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
    if binary is None:
        assert not os.getenv("INSIGHTS_CI"), "pgbouncer is not installed"
        pytest.skip("pgbouncer is not installed")
    target = psycopg.conninfo.conninfo_to_dict(url)
    port = free_port()
    settings = folder / "pgbouncer.ini"
    settings.write_text(
        f"[databases]\n* = host={target['host']} port={target.get('port', 5432)} "
        f"user={target.get('user', 'postgres')}\n"
        f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
        "auth_type = any\npool_mode = transaction\n"
    )
    root = os.geteuid() == 0
    for each in (settings, *folder.parents, folder) if root else ():
        reachable(each)
    process = subprocess.Popen(
        [binary, "-q", str(settings)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        user=NOBODY if root else None,
        group=NOBODY if root else None,
    )
    pooled = f"postgresql://127.0.0.1:{port}/{target['dbname']}"
    try:
        wait_for(pooled, process)
        yield pooled
    finally:
        process.terminate()
        process.wait(10)


def reachable(path: Path) -> None:
    """Let `nobody` look at a path of this test run."""
    if path.stat().st_uid == os.geteuid() and len(path.parts) > 2:
        path.chmod(path.stat().st_mode | (0o005 if path.is_dir() else 0o004))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(url: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 10
    while True:
        try:
            psycopg.connect(url, connect_timeout=2).close()
        except psycopg.OperationalError:
            assert process.poll() is None, "pgbouncer does not start"
            assert time.monotonic() < deadline, "pgbouncer does not answer"
            time.sleep(0.05)
        else:
            return
