"""What we send to Upstash is what its SDK for Python would send."""

from collections.abc import Iterator

import pytest
from upstash_redis import Redis

from runtime.assembly import Assembly
from services.redis.commands import evaluate
from services.redis.upstash import UpstashCommands
from tests.doubles import Doubles
from tests.sandbox.wire import Wired, take

SCRIPT = "return {KEYS[1], ARGV[1]}"


@pytest.fixture
def line(doubles: Doubles, assembly: Assembly) -> Iterator[UpstashCommands]:
    made = UpstashCommands(f"{doubles.url}/upstash", "token")
    yield made
    made.close()


def by_sdk(doubles: Doubles) -> Wired:
    with Redis(f"{doubles.url}/upstash", "token", allow_telemetry=False) as client:
        pipeline = client.pipeline()
        pipeline.set("k", "wörter, \u2028 ja", ex=60)
        pipeline.get("k")
        pipeline.incr("n")
        pipeline.hset("h", values={"progress": 40.5, "message": "Lernt"})
        pipeline.hmget("h", "progress", "none")
        pipeline.eval(SCRIPT, keys=["k"], args=["a b"])
        pipeline.publish("training:t-1", '{"progress": 40}')
        pipeline.delete("k", "n", "h")
        pipeline.exec()
    (sent,) = take(doubles, "upstash")
    return sent


def test_upstash_is_sent_what_its_sdk_sends(line: UpstashCommands, doubles: Doubles) -> None:
    theirs = by_sdk(doubles)

    line.run(
        ("SET", "k", "wörter, \u2028 ja", "EX", 60), ("GET", "k"), ("INCR", "n"),
        ("HSET", "h", "progress", 40.5, "message", "Lernt"), ("HMGET", "h", "progress", "none"),
        evaluate(SCRIPT, ["k"], "a b"), ("PUBLISH", "training:t-1", '{"progress": 40}'),
        ("DEL", "k", "n", "h"),
    )  # fmt: skip
    (ours,) = take(doubles, "upstash")

    assert ours == theirs


def test_the_sdk_asks_for_more_that_we_do_without(line: UpstashCommands, doubles: Doubles) -> None:
    """Replies in base64, which keeps bytes that are no text; ours are all text. And a reading of
    its own writes, which only a database with read regions would not give by itself."""
    with Redis(f"{doubles.url}/upstash", "token", allow_telemetry=False) as client:
        client.get("k")
    line.run(("GET", "k"))

    sent = doubles.server.world.requests["upstash"]
    theirs, ours = ({name for name in each.headers if "upstash" in name} for each in sent)
    assert theirs == {"upstash-encoding", "upstash-sync-token"}
    assert ours == set()
