"""Whether files can be written where data sets and models are stored."""

from urllib.parse import urlsplit

from fsspec.core import url_to_fs

from cli.doctor.finding import Finding, Status
from events import uuid7
from settings import Settings

NAME = "storage"


def check_storage(settings: Settings) -> Finding:
    """Write a small file, and remove it."""
    url = settings.storage.rstrip("/")
    shown = urlsplit(url)
    # A URL may hold a password.
    location = f"{shown.scheme}://{shown.hostname or ''}{shown.path}" if shown.scheme else url
    try:
        files, root = url_to_fs(url)
        probe = f"{root}/.insights-doctor-{uuid7().hex}"
        files.makedirs(root, exist_ok=True)
        files.pipe_file(probe, b"")
        files.rm_file(probe)
    except ImportError as error:
        return Finding(NAME, Status.WRONG, location, f"{error}.")
    except (OSError, ValueError) as error:
        detail = f"{location} cannot be written to: {type(error).__name__}"
        return Finding(NAME, Status.WRONG, detail, "May this user write there? See STORAGE_URL.")
    return Finding(NAME, Status.OK, f"{location} can be written to")
