"""Upstash's REST API, below `/upstash` (https://upstash.com/docs/redis/features/restapi)."""

import base64
import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import unquote

from redis.exceptions import RedisError, ResponseError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from sandbox.keys import opens
from sandbox.upstash.database import Database

LARGEST = 10_000_000
Json = Any


class Wrong(Exception):
    """Raised where a request is refused as a whole."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.response = JSONResponse({"error": message}, status)


def database_of(request: Request) -> Database:
    """The Redis of this sandbox, for whoever shows a token. Raises Wrong 401."""
    shown = request.headers.get("authorization", "").removeprefix("Bearer ").strip()
    if not opens(shown or request.query_params.get("_token") or ""):
        raise Wrong(401, "WRONGPASS invalid or missing auth token")
    database: Database = request.app.state.world.upstash
    return database


async def single(request: Request) -> Response:
    """`POST /` with one command, or `/CMD/arg/…` where the path is the command."""
    try:
        database = database_of(request)
        command = await command_of(request)
        reply = await database.run(command)
    except Wrong as wrong:
        return wrong.response
    except RedisError as error:
        return failed(error)
    if isinstance(reply, ResponseError):
        return failed(reply)
    return answer(request, {"result": encoded(request, reply)})


async def command_of(request: Request) -> list[Any]:
    """The command of a request. Raises Wrong."""
    path = request.path_params.get("command")
    raw = await body_of(request)
    if path:
        words: list[Any] = [unquote(part) for part in path.split("/")]
        words += [raw.decode()] if raw else []
        for name, value in request.query_params.multi_items():
            if name != "_token":
                words += [name] if value == "" else [name, value]
        return words
    command = parsed(raw)
    if not isinstance(command, list) or not command:
        raise Wrong(400, "ERR failed to parse command")
    return command


async def pipeline(request: Request) -> Response:
    """Many commands, one after the other; each has an answer or an error of its own."""
    try:
        database = database_of(request)
        commands = commands_in(await body_of(request))
        replies = [await database.run(command) for command in commands]
    except Wrong as wrong:
        return wrong.response
    except RedisError as error:
        return failed(error)
    return answer(request, [told(request, reply) for reply in replies])


async def multi_exec(request: Request) -> Response:
    """Many commands as one transaction."""
    try:
        database = database_of(request)
        replies = await database.transaction(commands_in(await body_of(request)))
    except Wrong as wrong:
        return wrong.response
    except RedisError as error:
        return failed(error)
    return answer(request, [told(request, reply) for reply in replies])


async def subscribe(request: Request) -> Response:
    """The messages of a channel as server-sent events."""
    try:
        database = database_of(request)
    except Wrong as wrong:
        return wrong.response
    channel = unquote(request.path_params["channel"])

    async def lines() -> AsyncIterator[str]:
        async for kind, name, text in database.listen(channel):
            yield f"data: {kind},{name},{text}\n\n"

    return StreamingResponse(lines(), media_type="text/event-stream")


async def body_of(request: Request) -> bytes:
    """The body. Raises Wrong where it is too large."""
    raw = await request.body()
    if len(raw) > LARGEST:
        raise Wrong(400, "ERR max request size exceeded")
    return raw


def commands_in(raw: bytes) -> list[list[Any]]:
    """The commands of a pipeline. Raises Wrong."""
    commands = parsed(raw)
    if not isinstance(commands, list) or not all(isinstance(each, list) for each in commands):
        raise Wrong(400, "ERR failed to parse pipeline request")
    return commands


def parsed(raw: bytes) -> Json:
    """The JSON of a body. Raises Wrong."""
    try:
        return json.loads(raw)
    except ValueError:
        raise Wrong(400, "ERR failed to parse request") from None


def told(request: Request, reply: Any) -> dict[str, Json]:
    """One command's part of an answer."""
    if isinstance(reply, ResponseError):
        return {"error": whole(reply)}
    return {"result": encoded(request, reply)}


def failed(error: RedisError) -> Response:
    """The answer where Redis refused a request, or is not there."""
    status = 400 if isinstance(error, ResponseError) else 503
    return JSONResponse({"error": whole(error)}, status)


def whole(error: RedisError) -> str:
    """What Redis said, with the code that redis-py cuts off."""
    return f"{error.status_code} {error}" if error.status_code else str(error)


def encoded(request: Request, reply: Any) -> Json:
    """A reply as JSON; strings in base64 where the client wants them so, but for OK."""
    if isinstance(reply, list):
        return [encoded(request, each) for each in reply]
    if not isinstance(reply, bytes | str):
        return reply
    raw = reply.encode() if isinstance(reply, str) else reply
    if request.headers.get("upstash-encoding") == "base64" and raw != b"OK":
        return base64.b64encode(raw).decode()
    return raw.decode(errors="replace")


def answer(request: Request, body: Json) -> Response:
    """An answer with the token by which a client reads its own writes."""
    headers = {"Upstash-Sync-Token": request.headers.get("upstash-sync-token") or "sandbox=1"}
    return JSONResponse(body, headers=headers)


ROUTES = [
    Route("/upstash/pipeline", pipeline, methods=["POST"]),
    Route("/upstash/multi-exec", multi_exec, methods=["POST"]),
    Route("/upstash/subscribe/{channel:path}", subscribe, methods=["GET", "POST"]),
    Route("/upstash", single, methods=["POST"]),
    Route("/upstash/", single, methods=["POST"]),
    Route("/upstash/{command:path}", single, methods=["GET", "POST", "PUT"]),
]
