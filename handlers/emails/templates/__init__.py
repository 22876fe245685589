"""The emails as HTML, to be pasted into Loops; `{DATA_VARIABLE:name}` is where a variable goes."""

from importlib.resources import files

from handlers.send_once import EmailTemplate


def sources() -> dict[str, str]:
    """Each email's HTML by the name of its template."""
    folder = files("handlers.emails.templates")
    return {
        each.value: folder.joinpath(f"{each.value}.html").read_text("utf-8")
        for each in EmailTemplate
    }
