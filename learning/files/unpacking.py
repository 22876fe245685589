"""Gzip and zip of one file, unpacked to a temporary file, never beyond a limit."""

import gzip
import zlib
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, BinaryIO, cast
from zipfile import BadZipFile, ZipFile

from learning.errors import UnreadableData, listed, shortened
from learning.files.kinds import kind_of

MAX_UNPACKED = 2 * 1000**3  # bytes, the default limit: the largest upload of the plan "pro"
BLOCK = 1 << 20  # bytes read at a time
HEAD = 4096  # bytes that tell what a file is
EXCEL_PARTS = ("xl/workbook.xml", "xl/workbook.bin")
DOCUMENTS = {"word/document.xml": "a Word document", "ppt/presentation.xml": "a presentation"}


@dataclass(slots=True)
class Unpacked:
    """A seekable file, what it is (text, parquet or excel), and how it was packed."""

    file: BinaryIO
    kind: str
    packed: str | None = None


def unpack(source: BinaryIO | Path, max_bytes: int, opened: ExitStack) -> Unpacked:
    """Open a file, unpacked where it is an archive of one file; `opened` closes it later.

    Raises `UnreadableData` for an archive of several files, one that would unpack to more
    than `max_bytes` (a zip before anything is unpacked), and whatever is no table.
    """
    if isinstance(source, Path):
        file: BinaryIO = opened.enter_context(source.open("rb"))
    else:
        file = _seekable(source, opened)
    head = file.read(HEAD)
    file.seek(0)
    kind = kind_of(head)
    if kind == "gzip":
        return _inner(_gunzip(file, max_bytes, opened), "gzip", opened)
    if kind == "zip":
        return _from_zip(file, max_bytes, opened)
    return Unpacked(file, "excel" if kind == "ole" else kind)


def _seekable(file: BinaryIO, opened: ExitStack) -> BinaryIO:
    if file.seekable():
        return file
    spool: IO[bytes] = opened.enter_context(TemporaryFile())  # noqa: SIM115 (`opened` closes it)
    while block := file.read(BLOCK):
        spool.write(block)
    spool.seek(0)
    return cast("BinaryIO", spool)


def _inner(file: BinaryIO, packed: str, opened: ExitStack) -> Unpacked:
    head = file.read(HEAD)
    file.seek(0)
    kind = kind_of(head)
    if kind == "zip":
        return _from_zip(file, MAX_UNPACKED, opened, nested=True)
    if kind == "gzip":
        raise UnreadableData("The file is an archive inside an archive. Unpack it first.")
    return Unpacked(file, "excel" if kind == "ole" else kind, packed)


def _gunzip(file: BinaryIO, max_bytes: int, opened: ExitStack) -> BinaryIO:
    try:
        return _bounded_copy(gzip.GzipFile(fileobj=file), max_bytes, opened)
    except (EOFError, OSError, zlib.error) as error:
        raise UnreadableData(
            "The archive (gzip) is damaged or was not uploaded whole. Upload it again."
        ) from error


def _from_zip(
    file: BinaryIO, max_bytes: int, opened: ExitStack, *, nested: bool = False
) -> Unpacked:
    try:
        archive = ZipFile(file)
        infos = [info for info in archive.infolist() if not _is_noise(info.filename)]
        names = {info.filename for info in infos}
        if any(part in names for part in EXCEL_PARTS) or _is_open_document(archive, names):
            file.seek(0)
            return Unpacked(file, "excel")
        for part, what in DOCUMENTS.items():
            if part in names:
                raise UnreadableData(f"The file is {what}, not a table. Save the table as CSV.")
        if nested:
            raise UnreadableData("The file is an archive inside an archive. Unpack it first.")
        if len(infos) != 1:
            held = listed(sorted(names)) if names else "nothing"
            raise UnreadableData(
                f"The archive holds {len(infos)} files ({held}); a data set is one table. "
                "Upload each of them alone."
            )
        if infos[0].file_size > max_bytes:
            raise _too_large(infos[0].file_size, max_bytes)
        if infos[0].flag_bits & 1:
            raise UnreadableData("The archive is locked with a password. Upload the file inside.")
        with archive.open(infos[0]) as inside:
            return _inner(_bounded_copy(inside, max_bytes, opened), "zip", opened)
    except (BadZipFile, EOFError, NotImplementedError, zlib.error) as error:
        raise UnreadableData(
            "The archive (zip) is damaged or of a kind that cannot be read. Upload the file "
            "inside it alone."
        ) from error


def _is_open_document(archive: ZipFile, names: set[str]) -> bool:
    if "mimetype" not in names or archive.getinfo("mimetype").file_size > HEAD:
        return False
    return b"opendocument.spreadsheet" in archive.read("mimetype")


def _is_noise(name: str) -> bool:
    return name.endswith(("/", ".DS_Store")) or name.startswith("__MACOSX/")


def _bounded_copy(packed: IO[bytes] | gzip.GzipFile, max_bytes: int, opened: ExitStack) -> BinaryIO:
    spool: IO[bytes] = opened.enter_context(TemporaryFile())  # noqa: SIM115 (`opened` closes it)
    size = 0
    while block := packed.read(BLOCK):
        size += len(block)
        if size > max_bytes:
            raise _too_large(size, max_bytes)
        spool.write(block)
    spool.seek(0)
    return cast("BinaryIO", spool)


def _too_large(size: int, limit: int) -> UnreadableData:
    return UnreadableData(
        f"Unpacked, the file has {shortened(f'{size / 1e6:,.0f}')} MB or more; up to "
        f"{limit / 1e6:,.0f} MB are possible. Upload a part of it."
    )
