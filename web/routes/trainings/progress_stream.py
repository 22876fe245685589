"""The response that streams a training's progress as server-sent events.

https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress

from anyio import CancelScope, create_task_group, move_on_after, sleep
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from errors import ProviderDown
from events.progress import TrainingProgress
from models.database_errors import trouble_of
from services.redis.progress_feed import Feed
from web.dependencies import Dependencies
from web.error_handlers import DATABASE_ERRORS
from web.middleware.body_limit import BodyTooLarge
from web.routes.trainings.progress import current_progress, state_of, unknown_training

HEARTBEAT = 15.0  # seconds without an update; proxies close connections that idle for a minute
RECONNECT_DELAY = 1.0  # seconds; meanwhile the state is read anew each time
CLOSE_TIMEOUT = 1.0  # seconds; a client that reads nothing must not hold up a stopping server
COMMENT = b":\n\n"
RETRY = b"retry: 1000\n\n"  # milliseconds until a browser reconnects
END = "end"
# `no-transform`: what compresses on the way would collect messages first (RFC 9111, 5.2.2.6).
# `X-Accel-Buffering` has nginx pass each message on at once.
HEADERS = {"Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no"}


class ProgressStream(StreamingResponse):
    """A stream that ends with the training, when its client leaves, or when the server stops.

    States with a version up to `seen` are not sent: the client has them.
    """

    def __init__(self, dependencies: Dependencies, training_id: str, seen: int) -> None:
        super().__init__((), headers=HEADERS, media_type="text/event-stream")
        self.dependencies = dependencies
        self.training_id = training_id
        self.seen = seen
        self.newest: TrainingProgress | None = None

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        """Send the stream. Raises Problem 404 before it begins."""
        async with (
            self.dependencies.feed(self.training_id) as feed,
            aclosing(self.states(feed)) as states,
        ):
            # The status is sent with the first state, so that an unknown training gets a 404.
            first = await anext(states)
            if first is None:
                raise unknown_training()
            start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
            await send(start)
            async with create_task_group() as tasks:
                with self.dependencies.streams.register(tasks.cancel_scope):
                    tasks.start_soon(cancel_on_disconnect, receive, tasks.cancel_scope)
                    await self.send_all(first, states, send)
                    tasks.cancel_scope.cancel()
            with move_on_after(CLOSE_TIMEOUT):
                await send(chunk(b"", more=False))

    async def states(self, feed: Feed) -> AsyncGenerator[TrainingProgress | None]:
        """The state now, then updates, in any order; None when there is nothing to send.

        The feed subscribes before the state is read, so that no update falls in between.
        """
        while True:
            pause = 0.0
            try:
                state = await feed.next(HEARTBEAT)
            except ProviderDown:
                state, pause = None, RECONNECT_DELAY
            yield state or await self.read_state()
            await sleep(pause)

    async def read_state(self) -> TrainingProgress | None:
        """The state in Redis or the events; None if neither can be read, once it has begun."""
        try:
            return await run_in_threadpool(current_progress, self.dependencies, self.training_id)
        except DATABASE_ERRORS as error:
            if self.newest is None or trouble_of(error) is None:
                raise
            return None

    async def send_all(
        self, first: TrainingProgress, states: AsyncGenerator[TrainingProgress | None], send: Send
    ) -> None:
        """Send the first state and all that follow, until one is final."""
        await send(chunk(RETRY))
        state: TrainingProgress | None = first
        while True:
            await send(chunk(self.message_for(state)))
            if self.newest is not None and self.newest.is_final:
                await send(chunk(message(END, END, self.newest)))
                return
            state = await anext(states)

    def message_for(self, state: TrainingProgress | None) -> bytes:
        """A message if the state is new to the client, else a comment as heartbeat."""
        if state is None or (self.newest is not None and state.rank <= self.newest.rank):
            return COMMENT
        self.newest = state
        return message("progress", str(state.at), state) if state.at > self.seen else COMMENT


async def cancel_on_disconnect(receive: Receive, scope: CancelScope) -> None:
    with suppress(BodyTooLarge):
        while (await receive())["type"] != "http.disconnect":
            pass
    scope.cancel()


def message(event: str, id_: str, state: TrainingProgress) -> bytes:
    data = state_of(state).model_dump_json()
    return f"id: {id_}\nevent: {event}\ndata: {data}\n\n".encode()


def chunk(body: bytes, *, more: bool = True) -> Message:
    """The ASGI message of a part of the response."""
    return {"type": "http.response.body", "body": body, "more_body": more}
