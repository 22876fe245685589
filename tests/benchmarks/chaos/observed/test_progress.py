"""Watching live progress from outside."""

from benchmarks.chaos.observed.progress import FLUSHED, ProgressWatcher
from events.progress import progress_key
from tests.factories import Servers

NEWER = b'{"progress": 50.0, "message": "m", "status": "running", "version": 2}'
OLDER = b'{"progress": 10.0, "message": "m", "status": "running", "version": 1}'


def test_an_older_state_is_stale_unless_redis_was_flushed_in_between(servers: Servers) -> None:
    watcher = ProgressWatcher(servers.redis_url)

    watcher.receive(progress_key("t"), NEWER)
    watcher.receive(FLUSHED, b"")
    watcher.receive(progress_key("t"), OLDER)
    assert watcher.stale == []

    watcher.receive(progress_key("t"), NEWER)
    watcher.receive(progress_key("t"), OLDER)
    assert [state.at for state in watcher.stale] == [1]
