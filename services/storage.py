"""The folder, or bucket, that holds data sets and models, each user's under `{user_id}/`."""

import os
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Literal, NamedTuple
from uuid import UUID

from fsspec import AbstractFileSystem
from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem

from errors import InsightsError


class NotStored(InsightsError):
    """Raised when a file is not in the storage folder, or its path would lead out of it."""


class WriteOvertaken(InsightsError):
    """Raised when another process has begun to write the same file: only its content is to stay."""


class Location(NamedTuple):
    """A file of the storage folder: its file system, and its full path there."""

    files: AbstractFileSystem
    path: str

    @property
    def is_local(self) -> bool:
        return isinstance(self.files, LocalFileSystem)

    @property
    def folder(self) -> str:
        return self.path.rsplit("/", 1)[0]


def dataset_path(user_id: UUID, dataset_id: str) -> str:
    """Where the CSV of a user's data set is."""
    return f"{user_id}/{dataset_id}.csv"


def model_path(user_id: UUID, training_id: str) -> str:
    """Where the model of a user's training is."""
    return f"{user_id}/models/{training_id}.skops"


class Storage:
    """Files by relative path below `url`, any that fsspec knows: `file:///…`, `s3://…`."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")

    def open(self, path: str, mode: Literal["rb", "wb"] = "rb") -> AbstractContextManager[BinaryIO]:
        """Open a file for reading ("rb") or writing ("wb", see `replace`) bytes.

        Raises NotStored.
        """
        if mode == "wb":
            return self.replace(path)
        found = self._locate(path)
        if not found.files.isfile(found.path):
            raise NotStored(f"There is no file '{path}' in the storage folder.")
        opened: AbstractContextManager[BinaryIO] = found.files.open(found.path, "rb")
        return opened

    def exists(self, path: str) -> bool:
        """Whether there is such a file. Raises NotStored for a path that leads out."""
        found = self._locate(path)
        return bool(found.files.isfile(found.path))

    @contextmanager
    def replace(self, path: str, confirm: Callable[[], None] = lambda: None) -> Iterator[BinaryIO]:
        """Write a file whole or not at all; folders are made as needed.

        It gets a temporary name, and at the end of the block its own. Before that `confirm` is
        called: what it raises, and what the block raises, leaves what was there. Raises NotStored
        for a path that leads out, and WriteOvertaken after another's `discard_unfinished`.
        """
        target = self._locate(path)
        target.files.makedirs(target.folder, exist_ok=True)
        unfinished = f"{target.path}.{secrets.token_hex(8)}.part"
        try:
            with target.files.open(unfinished, "wb") as file:
                yield file
                if target.is_local:
                    # A rename may reach the disk before the content that it is to show.
                    file.flush()
                    os.fsync(file.fileno())
            confirm()
            rename(target, unfinished)
        except BaseException:
            with suppress(OSError):
                target.files.rm_file(unfinished)
            raise

    def discard_unfinished(self, path: str) -> None:
        """Delete what was begun of a file, so that an older process cannot put it in place.

        A process that owns the file calls this as it begins. One that lost it either finds its
        temporary file gone when it renames, or writes it later, and fails in `confirm`.
        """
        target = self._locate(path)
        name = re.escape(PurePosixPath(target.path).name)
        target.files.invalidate_cache(target.folder)
        with suppress(FileNotFoundError):
            for each in target.files.ls(target.folder, detail=False):
                if re.fullmatch(rf"(.*/)?{name}\.[0-9a-f]+\.part", each):
                    target.files.rm_file(each)

    def remove(self, path: str) -> None:
        """Delete a file and what was begun of it, if it is there. Raises NotStored."""
        self.discard_unfinished(path)
        found = self._locate(path)
        with suppress(FileNotFoundError):
            found.files.rm_file(found.path)

    def _locate(self, path: str) -> Location:
        parts = parts_of(path)
        files, root = url_to_fs(self.url)
        found = Location(files, "/".join((root.rstrip("/"), *parts)))
        # Not even a link to another file in the folder: that may be another user's.
        straight = Path(root).resolve().joinpath(*parts)
        if found.is_local and Path(found.path).resolve() != straight:
            raise NotStored(f"The path '{path}' leads out of the storage folder by a link.")
        return found


def parts_of(path: str) -> tuple[str, ...]:
    """The folders and the name of a relative path. Raises NotStored where it would lead out."""
    parts = PurePosixPath(path).parts
    if "\0" in path or "\\" in path or "://" in path:
        raise NotStored("The path leads out of the storage folder. Give it as 'folder/file.csv'.")
    if not parts or ".." in parts or PurePosixPath(path).is_absolute():
        raise NotStored(f"The path '{path}' leads out of the storage folder.")
    return parts


def rename(target: Location, unfinished: str) -> None:
    """Give a temporary file its own name, in one step. Raises WriteOvertaken where it is gone."""
    try:
        if target.is_local:
            Path(unfinished).replace(target.path)
        else:
            # A bucket shows an object when it is whole; this copies it there and deletes.
            target.files.mv(unfinished, target.path)
    except FileNotFoundError as error:
        raise WriteOvertaken("Another process has begun to write this file.") from error
