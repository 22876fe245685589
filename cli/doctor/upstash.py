"""Whether Upstash takes our token."""

from contextlib import closing

from cli.doctor.asking import PATIENCE, ask, place
from cli.doctor.finding import Finding, Status
from services.redis.upstash import UpstashCommands
from settings import Settings, required

TOKEN = "UPSTASH_REDIS_REST_TOKEN"  # noqa: S105 (its name)


def check_upstash(settings: Settings) -> Finding:
    """Say PING, by the line that the product uses."""
    url, token = settings.upstash_redis_rest_url or "", settings.upstash_redis_rest_token

    def look() -> Finding:
        with closing(UpstashCommands(url, required(token, TOKEN), PATIENCE)) as line:
            line.run(("PING",))
        return Finding("Upstash", Status.OK, f"{place(url)} takes {TOKEN}")

    hint = "Copy it from the database's page at Upstash, REST; the read-only one will not do."
    return ask("Upstash", TOKEN, hint, look)
