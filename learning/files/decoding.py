"""A file of any encoding as a stream of UTF-8 from its first row on."""

import codecs
import re
from io import RawIOBase
from typing import BinaryIO

from learning.files.unpacking import BLOCK

BLANKS = re.compile(r"[ \t\u00a0]+")
SPACED_QUOTE = re.compile(r'(?<=[,;\t|]) +(?=")')


class Utf8Stream(RawIOBase):
    """Reads `file` as UTF-8, without its byte order mark.

    Bytes that are not in `encoding` are read in `fallback`, else become U+FFFD. With
    `blanks`, runs of blanks become one tab: so columns set apart by them have a delimiter. With
    `spaced_quotes`, blanks between a delimiter and a quote are dropped, as Arrow asks for it.
    """

    def __init__(
        self,
        file: BinaryIO,
        encoding: str,
        fallback: str | None = None,
        *,
        blanks: bool = False,
        spaced_quotes: bool = False,
    ) -> None:
        """Begin at the start of the file."""
        file.seek(0)
        self._file = file
        self._blanks = blanks
        self._rest = ""
        self._ready = b""
        self._spaced_quotes = spaced_quotes
        self._by_line = blanks or spaced_quotes
        self._plain = encoding == "utf-8" and fallback is None and not self._by_line
        errors = _fall_back_to(fallback) if fallback else "replace"
        self._decoder = codecs.getincrementaldecoder(encoding)(errors)

    def readable(self) -> bool:
        """Whether it can be read: yes."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Return up to `size` bytes, fewer only at the end."""
        parts, left = [], size if size >= 0 else 1 << 62
        while left > 0:
            if not self._ready:
                self._ready = self._next()
                if not self._ready:
                    break
            part, self._ready = self._ready[:left], self._ready[left:]
            parts.append(part)
            left -= len(part)
        return b"".join(parts)

    def push_back(self, data: bytes) -> None:
        """Let `data` be read next, again."""
        self._ready = data + self._ready

    def _next(self) -> bytes:
        while block := self._file.read(BLOCK):
            # Plain UTF-8 was found valid by the survey: it is passed on as it is.
            text = block if self._plain else self._convert(self._decoder.decode(block))
            if text:
                return text
        if self._plain:
            return b""
        last = self._convert(self._decoder.decode(b"", final=True), final=True)
        self._decoder.reset()
        return last

    def _convert(self, text: str, *, final: bool = False) -> bytes:
        if not self._by_line:
            return text.encode("utf-8", "replace")
        text = self._rest + text
        # The last line may not be whole yet.
        cut = len(text) if final else text.rfind("\n") + 1
        self._rest = text[cut:]
        whole = as_tabs(text[:cut]) if self._blanks else text[:cut]
        if self._spaced_quotes:
            whole = SPACED_QUOTE.sub("", whole)
        return whole.encode("utf-8", "replace")


def as_tabs(text: str) -> str:
    """Return lines with each run of blanks as one tab, and none at their ends."""
    lines = text.split("\n")
    return "\n".join(BLANKS.sub("\t", line.strip(" \t\r\u00a0")) for line in lines)


def _fall_back_to(encoding: str) -> str:
    """Register how bytes that are no UTF-8 are read, and return the name of it."""

    def decode(error: UnicodeError) -> tuple[str, int]:
        if not isinstance(error, UnicodeDecodeError):
            raise error
        wrong = error.object[error.start : error.end]
        return wrong.decode(encoding, "replace"), error.end

    name = f"insights-{encoding}"
    codecs.register_error(name, decode)
    return name
