"""`GET /trainings/{training_id}/progress/stream`: the live progress of a training."""

import re
from typing import Annotated

from fastapi import APIRouter, Header, Query, Response

from events.event import Reference
from web.authentication import RequiresKey
from web.dependencies import Injected
from web.routes.trainings.progress_stream import END, ProgressStream

router = APIRouter()
# Microseconds since the epoch have 16 digits; int() refuses thousands.
VERSION = re.compile(r"\d{1,18}")
NOTHING_SEEN = -1


@router.get(
    "/trainings/{training_id}/progress/stream",
    dependencies=[RequiresKey],
    tags=["trainings"],
    response_class=Response,
    responses={
        200: {
            "description": "`event: progress` with each update, `event: end` with the last.",
            "content": {
                "text/event-stream": {
                    "schema": {"type": "string"},
                    "example": "id: 1763805600250000\nevent: progress\n"
                    'data: {"training_id":"t-1","progress":40.0,"message":"Learning",'
                    '"status":"running","updated_at":1763805600250,"version":1763805600250000}\n\n',
                }
            },
        },
        204: {"description": "The end was sent before: a browser does not reconnect."},
    },
)
async def stream_progress(
    training_id: Reference,
    dependencies: Injected,
    last_event_id: Annotated[str | None, Header(description="Sent by browsers.")] = None,
    last_event_id_in_query: Annotated[
        str | None, Query(alias="last_event_id", description="The same.")
    ] = None,
) -> Response:
    """Stream a training's progress by server-sent events: its state, all updates, its end.

    Every message's `id` is the version of its state. A client that reconnects with
    `Last-Event-ID` gets only what is newer. Without updates, a comment comes every 15 s.
    """
    last = last_event_id or last_event_id_in_query or ""
    if last == END:
        return Response(status_code=204)
    seen = int(last) if VERSION.fullmatch(last) else NOTHING_SEEN
    return ProgressStream(dependencies, training_id, seen)
