"""What the endpoints work with: made once per app by `runtime.web`, injected by FastAPI."""

from collections.abc import Callable
from dataclasses import dataclass
from threading import Event
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.orm import Session, sessionmaker

from events import Catalogue
from services.redis.progress import ProgressBoard
from services.redis.progress_feed import Feed
from services.redis.rate_limit import RateLimit
from web.authentication import ApiKeys
from web.open_streams import OpenStreams
from web.readiness import Findings
from web.shared_result import SharedResult


@dataclass(frozen=True)
class Dependencies:
    """One app's parts. Nothing connects before it is used."""

    catalogue: Catalogue
    api_keys: ApiKeys
    sessions: "sessionmaker[Session]"
    board: ProgressBoard
    feed: Callable[[str], Feed]
    """Training id → the live progress of that training."""
    rate_limit: RateLimit
    readiness: SharedResult[Findings]
    metrics: SharedResult[bytes]
    streams: OpenStreams
    stopped: Event
    """Set when the server should end: from then on, answers are not waited for long."""
    close: Callable[[], None]
    """Closes the connections that were made."""


async def of_this_app(request: Request) -> Dependencies:
    dependencies: Dependencies = request.app.state.dependencies
    return dependencies


Injected = Annotated[Dependencies, Depends(of_this_app)]
