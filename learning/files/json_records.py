"""JSON lines, and a JSON array of objects. Numbers stay as they are written."""

import codecs
import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, BinaryIO

from learning.errors import UnreadableData, listed, shortened
from learning.files.chunk import Chunk, chunk_of
from learning.files.decoding import Utf8Stream
from learning.files.delimited import Misfit
from learning.files.encodings import Encoding
from learning.files.table import Table
from learning.files.unpacking import Unpacked
from learning.schema.notice import Notice
from learning.schema.schema import Source

CHUNK_ROWS = 20_000
SAMPLE_ROWS = 1_000
PIECE = 1 << 16  # characters read at a time
LARGEST_OBJECT = 1 << 24  # characters of one object: beyond, the file is no table
NATIVE_SHARE = 0.5
MAX_COLUMNS = 2_000


class Number(str):
    """A JSON number as it is written: 9007199254740993 and 0.10 survive."""

    __slots__ = ()


@dataclass(slots=True)
class JsonReader:
    """Yields the objects of a file as rows; their number is their line."""

    file: BinaryIO
    source: Source
    misfits: list[Misfit] = field(default_factory=list)

    def chunks(self) -> Iterator[Chunk]:
        """Yield all objects; a name that an object lacks is a blank cell."""
        lines, rows = list[int](), list[list[str]]()
        names = self.source.names
        for number, record in enumerate(records(self.file, self.source), 1):
            lines.append(number)
            rows.append([_text(record.get(name)) for name in names])
            if len(rows) == CHUNK_ROWS:
                yield chunk_of(lines, rows, len(names))
                lines, rows = [], []
        if rows:
            yield chunk_of(lines, rows, len(names))


def open_json(unpacked: Unpacked, encoding: Encoding, text: str, size: int) -> Table | None:
    """Open a file that begins like JSON; None where it is none, but for instance a CSV file.

    Raises `UnreadableData` for JSON that is no table.
    """
    source = Source(
        kind="json", packed=unpacked.packed, encoding=encoding.name, fallback=encoding.fallback
    )
    if not _begins_with_objects(text):
        return None
    sample = []
    for record in records(unpacked.file, source):
        sample.append(record)
        if len(sample) == SAMPLE_ROWS:
            break
    names = list(dict.fromkeys(name for record in sample for name in record))
    nested = [n for n in names if any(isinstance(r.get(n), list | dict) for r in sample)]
    if nested:
        raise UnreadableData(
            f"The columns {listed(nested)} hold lists or objects, not values. Leave them out, or "
            "give each of their values a column."
        )
    if not names or len(names) > MAX_COLUMNS:
        raise UnreadableData("The file is JSON, but no table: its objects have no names.")
    native = frozenset(
        j
        for j, name in enumerate(names)
        if (known := [r[name] for r in sample if r.get(name) is not None])
        and sum(isinstance(value, Number) for value in known) > NATIVE_SHARE * len(known)
    )
    source = replace(source, width=len(names), names=tuple(names), delimiter="")
    notices = [Notice("format", "The file was read as JSON, one row for each object.")]
    return Table(
        unpacked.file, source, JsonReader(unpacked.file, source), size, native=native,
        notices=notices,
    )  # fmt: skip


def _begins_with_objects(text: str) -> bool:
    start = text.lstrip("\ufeff \t\r\n")
    if start.startswith("["):
        start = start[1:].lstrip()
        return start.startswith("{")
    try:
        return isinstance(json.JSONDecoder().raw_decode(start)[0], dict)
    except ValueError:
        return start.startswith(('{"', "{\n", "{ "))


def records(file: BinaryIO, source: Source) -> Iterator[dict[str, Any]]:
    """Yield objects one by one, whether in lines, in an array, or under one name of an object."""
    bytes_read = Utf8Stream(file, source.encoding, source.fallback)
    stream = codecs.getreader("utf-8")(bytes_read)
    decoder = json.JSONDecoder(parse_float=Number, parse_int=Number)
    buffer, number, ended = "", 0, False
    while True:
        buffer = buffer.lstrip("\ufeff \t\r\n,[]")
        try:
            value, end = decoder.raw_decode(buffer)
        except ValueError as error:
            piece = "" if ended else stream.read(PIECE)
            if piece:
                buffer += piece
                if len(buffer) < LARGEST_OBJECT:
                    continue
            if not buffer.strip("\ufeff \t\r\n,[]"):
                return
            raise _broken(number + 1) from error
        except RecursionError as error:
            raise _broken(number + 1) from error
        number += 1
        buffer = buffer[end:]
        yield from _rows(value, number)


def _rows(value: object, number: int) -> Iterator[dict[str, Any]]:
    if not isinstance(value, dict):
        raise UnreadableData(f"Value {number} of the file is no object, so it is no row.")
    lists = [v for v in value.values() if isinstance(v, list)]
    # {"data": [{…}, {…}]}: what a web service answers.
    if number == 1 and len(lists) == 1 and lists[0] and all(isinstance(v, dict) for v in lists[0]):
        yield from lists[0]
    else:
        yield value


def _broken(number: int) -> UnreadableData:
    return UnreadableData(
        f"The file looks like JSON, but object {number:,} is broken or cut off. Export it again."
    )


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | dict):
        return shortened(json.dumps(value))
    return str(value)
