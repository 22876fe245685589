"""What we send to Upstash is what its SDK for Python would send."""

from upstash_redis import Redis

from services.redis.commands import evaluate
from services.redis.upstash import UpstashCommands
from tests.doubles import Doubles
from tests.sandbox.sent_requests import SentRequest, take_requests

SCRIPT = "return {KEYS[1], ARGV[1]}"


def by_sdk(doubles: Doubles) -> SentRequest:
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
    (sent,) = take_requests(doubles, "upstash")
    return sent


def test_upstash_is_sent_the_pipeline_that_its_sdk_sends(
    upstash: UpstashCommands, doubles: Doubles
) -> None:
    theirs = by_sdk(doubles)

    upstash.run(
        ("SET", "k", "wörter, \u2028 ja", "EX", 60), ("GET", "k"), ("INCR", "n"),
        ("HSET", "h", "progress", 40.5, "message", "Lernt"), ("HMGET", "h", "progress", "none"),
        evaluate(SCRIPT, ["k"], "a b"), ("PUBLISH", "training:t-1", '{"progress": 40}'),
        ("DEL", "k", "n", "h"),
    )  # fmt: skip
    (ours,) = take_requests(doubles, "upstash")

    assert ours == theirs


def test_what_the_sdk_asks_for_by_default_we_do_without(
    upstash: UpstashCommands, doubles: Doubles
) -> None:
    """Replies in base64, which keeps bytes that are no text; ours are all text. And a reading of
    its own writes, which only a database with read regions would not give by itself."""
    with Redis(f"{doubles.url}/upstash", "token", allow_telemetry=False) as client:
        client.get("k")
    upstash.run(("GET", "k"))
    upstash.run(("GET", "k"), ("GET", "k"))

    sent = doubles.requests("upstash")
    theirs, *ours = ({name for name in each.headers if "upstash" in name} for each in sent)
    assert theirs == {"upstash-encoding", "upstash-sync-token"}
    assert ours == [set(), set()]
    assert [each.path for each in sent] == ["/upstash", "/upstash", "/upstash/pipeline"]
