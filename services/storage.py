"""The folder, or bucket, that holds data sets and models."""

from contextlib import AbstractContextManager
from pathlib import PurePosixPath
from typing import BinaryIO

from fsspec.core import url_to_fs

from errors import InsightsError


class NotStored(InsightsError):
    """Raised when a file is not in the storage folder, or its path would lead out of it."""


class Storage:
    """Files by relative path below `url`, any that fsspec knows: `file:///…`, `s3://…`."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")

    def open(self, path: str, mode: str = "rb") -> AbstractContextManager[BinaryIO]:
        """Open a file for reading or writing bytes; folders are made as needed."""
        parts = PurePosixPath(path).parts
        if not parts or ".." in parts or PurePosixPath(path).is_absolute() or "://" in path:
            raise NotStored(f"The path '{path}' leads out of the storage folder.")
        files, root = url_to_fs(self.url)
        full = f"{root}/{'/'.join(parts)}"
        if "r" in mode and not files.isfile(full):
            raise NotStored(f"There is no file '{path}' in the storage folder.")
        if "w" in mode:
            files.makedirs(full.rsplit("/", 1)[0], exist_ok=True)
        opened: AbstractContextManager[BinaryIO] = files.open(full, mode)
        return opened
