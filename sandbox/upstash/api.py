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

from sandbox.authentication import accepts_key
from sandbox.providers import providers_of
from sandbox.upstash.database import Database

MAX_BODY = 10_000_000  # bytes; the limit of the Free and Pay as You Go plans
Json = Any


class ApiError(Exception):
    """Raised where a request is refused as a whole; `response` is what Upstash answers."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.response = error_response(status, message)


def error_response(status: int, message: str) -> JSONResponse:
    """An error in Upstash's form."""
    return JSONResponse({"error": message}, status)


def database_of(request: Request) -> Database:
    """The Redis behind this double, for a request with a token. Raises ApiError 401."""
    token = request.headers.get("authorization", "").removeprefix("Bearer ").strip()
    if not accepts_key(token or request.query_params.get("_token") or ""):
        raise ApiError(401, "WRONGPASS invalid or missing auth token")
    return providers_of(request).upstash


async def single(request: Request) -> Response:
    """`POST /` with one command, or `/CMD/arg/…` where the path is the command."""
    try:
        database = database_of(request)
        command = await command_of(request)
        reply = await database.run(command)
    except ApiError as error:
        return error.response
    except RedisError as error:
        return redis_error_response(error)
    if isinstance(reply, ResponseError):
        return redis_error_response(reply)
    return answer(request, {"result": encoded(request, reply)})


async def command_of(request: Request) -> list[Any]:
    """The command of a request. Raises ApiError 400."""
    path = request.path_params.get("command")
    raw = await body_of(request)
    if path:
        words: list[Any] = [unquote(part) for part in path.split("/")]
        words += [raw.decode()] if raw else []
        for name, value in request.query_params.multi_items():
            if name != "_token":
                words += [name] if value == "" else [name, value]
        return words
    command = parse(raw)
    if not isinstance(command, list) or not command:
        raise ApiError(400, "ERR failed to parse command")
    return command


async def pipeline(request: Request) -> Response:
    """Many commands in order, not atomic; each has a result or an error of its own."""
    try:
        database = database_of(request)
        commands = commands_in(await body_of(request))
        replies = [await database.run(command) for command in commands]
    except ApiError as error:
        return error.response
    except RedisError as error:
        return redis_error_response(error)
    return answer(request, [result_or_error(request, reply) for reply in replies])


async def multi_exec(request: Request) -> Response:
    """Many commands as one transaction."""
    try:
        database = database_of(request)
        replies = await database.transaction(commands_in(await body_of(request)))
    except ApiError as error:
        return error.response
    except RedisError as error:
        return redis_error_response(error)
    return answer(request, [result_or_error(request, reply) for reply in replies])


async def subscribe(request: Request) -> Response:
    """The messages of a channel as server-sent events."""
    try:
        database = database_of(request)
    except ApiError as error:
        return error.response
    channel = unquote(request.path_params["channel"])

    async def messages() -> AsyncIterator[str]:
        async for kind, name, text in database.listen(channel):
            yield f"data: {kind},{name},{text}\n\n"

    return StreamingResponse(messages(), media_type="text/event-stream")


async def body_of(request: Request) -> bytes:
    """The body. Raises ApiError 400 where it is too large."""
    raw = await request.body()
    if len(raw) > MAX_BODY:
        raise ApiError(400, "ERR max request size exceeded")
    return raw


def commands_in(raw: bytes) -> list[list[Any]]:
    """The commands of a pipeline. Raises ApiError 400."""
    commands = parse(raw)
    if not isinstance(commands, list) or not all(isinstance(each, list) for each in commands):
        raise ApiError(400, "ERR failed to parse pipeline request")
    # https://github.com/upstash/redis-py/issues/69
    if not commands:
        raise ApiError(400, "ERR empty pipeline request")
    return commands


def parse(raw: bytes) -> Json:
    """The JSON of a body. Raises ApiError 400."""
    try:
        return json.loads(raw)
    except ValueError:
        raise ApiError(400, "ERR failed to parse request") from None


def result_or_error(request: Request, reply: Any) -> dict[str, Json]:
    """One command's part of the answer to a pipeline or transaction."""
    if isinstance(reply, ResponseError):
        return {"error": message_of(reply)}
    return {"result": encoded(request, reply)}


def redis_error_response(error: RedisError) -> Response:
    """400 where Redis refused the command, 503 where it cannot be reached."""
    status = 400 if isinstance(error, ResponseError) else 503
    return JSONResponse({"error": message_of(error)}, status)


def message_of(error: RedisError) -> str:
    """The message of Redis, with the code (such as WRONGTYPE) that redis-py cuts off."""
    return f"{error.status_code} {error}" if error.status_code else str(error)


def encoded(request: Request, reply: Any) -> Json:
    """A reply as JSON; strings in base64 where the client asks for it, but for the status OK."""
    if isinstance(reply, list):
        return [encoded(request, each) for each in reply]
    if not isinstance(reply, bytes | str):
        return reply
    raw = reply.encode() if isinstance(reply, str) else reply
    if request.headers.get("upstash-encoding") == "base64" and raw != b"OK":
        return base64.b64encode(raw).decode()
    return raw.decode(errors="replace")


def answer(request: Request, body: Json) -> Response:
    """A response with the token that clients send back to read their own writes."""
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
