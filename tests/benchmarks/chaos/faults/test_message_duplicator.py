"""Bells are rung again, made up and lost."""

import json
import random

import redis

from benchmarks.chaos.faults.message_duplicator import MessageDuplicator
from services.redis.doorbell import QUEUE_PREFIX
from tests.factories import Servers

QUEUE = f"{QUEUE_PREFIX}chaos-test"
BELLS = [json.dumps({"message_id": str(number)}).encode() for number in range(40)]


def test_bells_are_rung_again_some_under_ids_that_were_never_sent(servers: Servers) -> None:
    duplicator = MessageDuplicator(servers.redis_url, random.Random(1))
    with redis.Redis.from_url(servers.redis_url) as client:
        client.rpush(QUEUE, *BELLS)
        duplicator.look()
        client.delete(QUEUE)

        duplicator.send_again()

        sent = set(client.lrange(QUEUE, 0, -1))
        client.delete(QUEUE)
    duplicator.client.close()
    assert duplicator.copies == len(BELLS)
    assert len(sent) == len(BELLS)
    assert 20 < len(sent & set(BELLS)) < len(BELLS)


def test_bells_are_taken_away_only_while_they_are_to_be_lost(servers: Servers) -> None:
    duplicator = MessageDuplicator(servers.redis_url, random.Random(1))
    with redis.Redis.from_url(servers.redis_url) as client:
        client.rpush(QUEUE, *BELLS)
        duplicator.look()
        assert client.llen(QUEUE) == len(BELLS)

        duplicator.loses.set()
        duplicator.look()

        assert client.llen(QUEUE) == 0
    duplicator.client.close()
    assert duplicator.lost == len(BELLS)
