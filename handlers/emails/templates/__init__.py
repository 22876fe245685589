"""The emails as HTML, to be pasted into Loops; `{DATA_VARIABLE:name}` is where a variable goes."""

from importlib.resources import files

NAMES = (
    "welcome",
    "training_complete",
    "training_failed",
    "limit_warning",
    "subscription_confirmed",
)


def sources() -> dict[str, str]:
    """Each email's HTML by its name."""
    folder = files("handlers.emails.templates")
    return {name: folder.joinpath(f"{name}.html").read_text("utf-8") for name in NAMES}
