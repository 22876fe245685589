"""Whether Sentry takes what the DSN sends."""

from urllib.parse import urlsplit

from cli.doctor.asking import ask, call, place
from cli.doctor.finding import Finding, Status
from settings import Settings, required

# A report that nothing was lost: no event, no issue, no quota.
ENVELOPE = b'{}\n{"type":"client_report"}\n{"discarded_events":[]}\n'


def check_dsn(settings: Settings) -> Finding:
    """Send an empty report. Sentry may take one before it looks the key up, but not for long."""
    dsn = required(settings.sentry_dsn, "SENTRY_DSN")

    def look() -> Finding:
        parts = urlsplit(dsn)
        folder, _, project = parts.path.rpartition("/")
        sender = f"sentry_version=7, sentry_client=insights-doctor/1, sentry_key={parts.username}"
        headers = {
            "Content-Type": "application/x-sentry-envelope",
            "X-Sentry-Auth": f"Sentry {sender}",
        }
        path = f"{folder}/api/{project}/envelope/"
        call("POST", place(dsn), path, content=ENVELOPE, headers=headers)
        return Finding("Sentry", Status.OK, f"{place(dsn)} takes SENTRY_DSN")

    hint = "Copy it again from the project's settings in Sentry, Client ApiKeys."
    return ask("Sentry", "SENTRY_DSN", hint, look)
