"""`GET /trainings/{training_id}/progress/stream`: how far a training is, live.

First the channel is subscribed to, then the state is read, so that nothing falls in between.
"""

import re
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from typing import Annotated

from anyio import CancelScope, create_task_group, move_on_after, sleep
from fastapi import APIRouter, Header, Query, Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from errors import ProviderDown
from events.event import Reference
from services.redis.progress import Progress
from services.redis.progress_feed import Feed
from services.redis.transports import feed_over
from web.authentication import RequiresKey
from web.dependencies import Door, Injected
from web.middleware.body_limit import BodyTooLarge
from web.problems import DATABASE_AWAY
from web.routes.trainings.progress import progress_of, state_of, unknown_training

router = APIRouter()
HEARTBEAT = 15.0
CALL_AGAIN = 1.0
LAST_WORD = 1.0
COMMENT = b":\n\n"
RETRY = b"retry: 1000\n\n"
VERSION = re.compile(r"\d{1,18}")
ENDED = "end"
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


@router.get(
    "/trainings/{training_id}/progress/stream",
    dependencies=[RequiresKey],
    tags=["trainings"],
    response_class=Response,
    responses={
        200: {
            "description": "`event: progress` with each news, `event: end` with the last.",
            "content": {
                "text/event-stream": {
                    "schema": {"type": "string"},
                    "example": "id: 1763805600250000\nevent: progress\n"
                    'data: {"training_id":"t-1","progress":40.0,"message":"Learning",'
                    '"status":"running","updated_at":1763805600250,"version":1763805600250000}\n\n',
                }
            },
        },
        204: {"description": "The end was told before: a browser stops asking."},
    },
)
async def follow_progress(
    training_id: Reference,
    door: Injected,
    last_event_id: Annotated[str | None, Header(description="Sent by browsers.")] = None,
    seen: Annotated[str | None, Query(alias="last_event_id", description="The same.")] = None,
) -> Response:
    """Follow a training by server-sent events: its state, then all news, then its end.

    Every message's `id` is the version of its state. Who comes back with `Last-Event-ID` is told
    only what is newer. A comment comes every 15 s while there is no news.
    """
    last = last_event_id or seen or ""
    if last == ENDED:
        return Response(status_code=204)
    return ProgressStream(door, training_id, int(last) if VERSION.fullmatch(last) else -1)


class ProgressStream(StreamingResponse):
    """A stream that ends with the training, when its client leaves, or when the server stops."""

    def __init__(self, door: Door, training_id: str, seen: int) -> None:
        super().__init__((), headers=HEADERS, media_type="text/event-stream")
        self.door = door
        self.training_id = training_id
        self.seen = seen
        self.newest: Progress | None = None

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        """Send the stream. Raises Problem 404 before it begins."""
        async with (
            self.feed() as feed,
            aclosing(self.states(feed)) as states,
        ):
            first = await anext(states)
            if first is None:
                raise unknown_training()
            start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
            await send(start)
            async with create_task_group() as tasks:
                with self.door.streams.during(tasks.cancel_scope):
                    tasks.start_soon(until_left, receive, tasks.cancel_scope)
                    await self.tell_all(first, states, send)
                    tasks.cancel_scope.cancel()
            with move_on_after(LAST_WORD):
                await send(chunk(b"", more=False))

    def feed(self) -> Feed:
        """The live news of the training."""
        settings = self.door.settings
        return feed_over(settings.redis, *settings.upstash, self.training_id)

    async def states(self, feed: Feed) -> AsyncGenerator[Progress | None]:
        """The state now, then what is new, in any order; None when there is nothing to tell."""
        while True:
            pause = 0.0
            try:
                state = await feed.next(HEARTBEAT)
            except ProviderDown:
                state, pause = None, CALL_AGAIN
            yield state or await self.look()
            await sleep(pause)

    async def look(self) -> Progress | None:
        """The state as Redis or the events tell it; None if neither can, once it has begun."""
        try:
            return await run_in_threadpool(progress_of, self.door, self.training_id)
        except DATABASE_AWAY:
            if self.newest is None:
                raise
            return None

    async def tell_all(
        self, first: Progress, states: AsyncGenerator[Progress | None], send: Send
    ) -> None:
        """Tell the first state and all that follow, until one is final."""
        await send(chunk(RETRY))
        state: Progress | None = first
        while True:
            await send(chunk(self.tell(state)))
            if self.newest is not None and self.newest.is_final:
                await send(chunk(message(ENDED, ENDED, self.newest)))
                return
            state = await anext(states)

    def tell(self, state: Progress | None) -> bytes:
        """A message if the state is news to the client, else a comment that keeps the line."""
        if state is None or (self.newest is not None and state.rank <= self.newest.rank):
            return COMMENT
        self.newest = state
        return message("progress", str(state.at), state) if state.at > self.seen else COMMENT


async def until_left(receive: Receive, scope: CancelScope) -> None:
    """Cancel the stream when its client has gone."""
    with suppress(BodyTooLarge):
        while (await receive())["type"] != "http.disconnect":
            pass
    scope.cancel()


def message(event: str, id_: str, state: Progress) -> bytes:
    """One message of the stream."""
    data = state_of(state).model_dump_json()
    return f"id: {id_}\nevent: {event}\ndata: {data}\n\n".encode()


def chunk(body: bytes, *, more: bool = True) -> Message:
    """A part of the response."""
    return {"type": "http.response.body", "body": body, "more_body": more}
