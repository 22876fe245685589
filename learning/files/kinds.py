"""What a file is, by its first bytes: a table that can be read, or something else, by name."""

from learning.errors import UnreadableData

# What the bytes at the start say. Sources: the formats' own specifications.
SIGNATURES = (
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "an image (PNG)"),
    (b"GIF8", "an image (GIF)"),
    (b"\xff\xd8\xff", "an image (JPEG)"),
    (b"II*\0", "an image (TIFF)"),
    (b"MM\0*", "an image (TIFF)"),
    (b"RIFF", "a sound, a video or an image (RIFF)"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program for Windows"),
    (b"\xcf\xfa\xed\xfe", "a program for macOS"),
    (b"7z\xbc\xaf", "an archive (7z)"),
    (b"Rar!", "an archive (RAR)"),
    (b"BZh", "an archive (bzip2)"),
    (b"\xfd7zXZ", "an archive (xz)"),
    (b"\x28\xb5\x2f\xfd", "an archive (Zstandard)"),
    (b"SQLite format 3", "a database (SQLite)"),
    (b"\x89HDF", "an HDF5 file"),
    (b"ARROW1", "an Arrow file"),
    (b"FEA1", "a Feather file"),
    (b"OggS", "a sound (Ogg)"),
    (b"ID3", "a sound (MP3)"),
    (b"{\\rtf", "a text document (RTF)"),
    (b"%!PS", "a PostScript document"),
    (b"wOFF", "a font"),
    (b"\xca\xfe\xba\xbe", "a Java program"),
)
MARKUP = (
    (b"<!doctype html", "a web page (HTML)"),
    (b"<html", "a web page (HTML)"),
    (b"<head", "a web page (HTML)"),
    (b"<body", "a web page (HTML)"),
    (b"<table", "a web page (HTML)"),
    (b"<script", "a web page (HTML)"),
    (b"<svg", "a drawing (SVG)"),
    (b"<?xml", "an XML document"),
    (b"<?php", "a program (PHP)"),
    (b"#!/", "a program (a script)"),
    (b"-----begin", "a key or a certificate"),
)
PARQUET, GZIP, ZIP, OLE = b"PAR1", b"\x1f\x8b", b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
EXPORT_IT = "Export the table as CSV, Excel, Parquet or JSON, and upload that file."


def kind_of(head: bytes) -> str:
    """Return parquet, gzip, zip, ole (old Excel) or text for a file that begins so.

    Raises `UnreadableData`, which names what the file is, for anything else.
    """
    for signature, kind in ((PARQUET, "parquet"), (GZIP, "gzip"), (ZIP, "zip"), (OLE, "ole")):
        if head.startswith(signature):
            return kind
    refuse_other_kinds(head)
    return "text"


def refuse_other_kinds(head: bytes) -> None:
    """Raise `UnreadableData` where the first bytes are those of no table."""
    for signature, what in SIGNATURES:
        # Two letters could also begin a header; a program has bytes that no text has.
        if head.startswith(signature) and (len(signature) > 2 or b"\0" in head):
            raise UnreadableData(f"The file is {what}, not a table. {EXPORT_IT}")
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:200].lower()
    if start.startswith(b"<!--"):
        start = start.partition(b"-->")[2].lstrip()
    for opening, what in MARKUP:
        if start.startswith(opening):
            raise UnreadableData(f"The file is {what}, not a table. {EXPORT_IT}")
