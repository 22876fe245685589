"""Which encoding a text file has: a look at all of its bytes, then at those beyond ASCII."""

import codecs
import re
from dataclasses import dataclass, field
from typing import BinaryIO

from charset_normalizer import from_bytes

from learning.errors import UnreadableData
from learning.files.alphabets import plausibility
from learning.files.unpacking import BLOCK

# What people's programs write, besides UTF-8 and UTF-16.
LEGACY = ("cp1250", "cp1252", "cp1251", "iso8859-2", "cp932", "gb18030")
BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
SAMPLED_LINES = 2_000  # with a byte beyond ASCII, to tell the encoding by
LINES_A_BLOCK = 200  # of each block, so that the whole file is sampled
MIN_NULS = 0.3  # share of every second byte that is NUL in UTF-16: nearly all in Latin text
MIXED_SHARE = 0.2  # of lines that are UTF-8, from which the rest is a second encoding
NOT_ASCII = re.compile(rb"[^\r\n]*[\x80-\xff][^\r\n]*")
NO_TEXT = "The file is not a text file. Export the table as CSV, Excel, Parquet or JSON."
SHOWN = {"utf-8-sig": "UTF-8", "utf-8": "UTF-8", "utf-16": "UTF-16", "utf-16-le": "UTF-16",
         "utf-16-be": "UTF-16", "utf-32": "UTF-32", "cp1250": "Windows-1250", "gb18030": "GB 18030",
         "cp1252": "Windows-1252", "cp1251": "Windows-1251", "iso8859-2": "ISO 8859-2 (Latin-2)",
         "cp932": "Shift JIS (CP 932)"}  # fmt: skip


@dataclass(slots=True)
class Survey:
    """What a look at all bytes found. Of the lines beyond ASCII, a sample is kept."""

    size: int = 0
    quotes: int = 0
    nuls: int = 0
    utf8: bool = True
    not_ascii: list[bytes] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Encoding:
    """An encoding, and a second one for lines that are not in the first; whether guessed."""

    name: str
    fallback: str | None = None
    guessed: bool = False


def survey(file: BinaryIO) -> Survey:
    """Read a file once from its start, and leave it there again."""
    found = Survey()
    decode = codecs.getincrementaldecoder("utf-8")()
    file.seek(0)
    while block := file.read(BLOCK):
        found.size += len(block)
        found.quotes += block.count(b'"')
        found.nuls += block.count(b"\0")
        if block.isascii() and not decode.getstate()[0]:
            continue
        if found.utf8:
            try:
                decode.decode(block)
            except UnicodeDecodeError:
                found.utf8 = False
        if len(found.not_ascii) < SAMPLED_LINES:
            lines = (match.group() for match in NOT_ASCII.finditer(block))
            found.not_ascii += [line for line, _ in zip(lines, range(LINES_A_BLOCK), strict=False)]
    if found.utf8 and decode.getstate()[0]:
        found.utf8 = False
    file.seek(0)
    return found


def detect_encoding(file: BinaryIO, found: Survey) -> Encoding:
    """Return the encoding of a surveyed file. Raises `UnreadableData` where it is no text."""
    file.seek(0)
    head = file.read(4096)
    file.seek(0)
    for mark, name in BYTE_ORDER_MARKS:
        if head.startswith(mark):
            return Encoding(name, _second(found) if name == "utf-8-sig" else None)
    if found.nuls:
        return Encoding(_utf16_without_mark(head), guessed=True)
    if found.utf8:
        return Encoding("utf-8")
    fallback = _second(found)
    if fallback is not None:
        return Encoding("utf-8", fallback)
    return Encoding(_legacy(found.not_ascii), guessed=True)


def _utf16_without_mark(head: bytes) -> str:
    even, odd = head[::2].count(0), head[1::2].count(0)
    if max(even, odd) < MIN_NULS * len(head) / 2 or min(even, odd) > max(even, odd) / 4:
        raise UnreadableData(NO_TEXT)
    return "utf-16-be" if even > odd else "utf-16-le"


def _second(found: Survey) -> str | None:
    """The encoding of those lines that are no UTF-8, where most others are."""
    if found.utf8:
        return None
    broken = [line for line in found.not_ascii if not _is_utf8(line)]
    share = 1 - len(broken) / max(1, len(found.not_ascii))
    if not broken or share < MIXED_SHARE:
        return None
    return _legacy(broken, ("cp1250", "cp1252", "cp1251", "iso8859-2"))


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _legacy(lines: list[bytes], candidates: tuple[str, ...] = LEGACY) -> str:
    text = b"\n".join(lines)[:200_000]
    scores = {}
    for name in candidates:
        # The sample may be cut within a letter of two bytes.
        decoded = text.decode(name, "replace")
        wrong = decoded.count("\ufffd") / max(1, len(decoded))
        scores[name] = plausibility(decoded.replace("\ufffd", ""), name) - 20 * wrong
    best = max(scores.values())
    close = [name for name, score in scores.items() if best - score < 0.02]
    if len(close) == 1:
        return close[0]
    match = from_bytes(text, cp_isolation=close).best()
    named = {codecs.lookup(name).name: name for name in close}
    return named.get(codecs.lookup(match.encoding).name, close[0]) if match else close[0]
