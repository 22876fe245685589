"""The embedded servers, started for settings that leave them open, and found by others."""

import os
import shutil
import signal
import stat
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis
from pydantic import SecretStr

from runtime.embedded.discovery import NOTE, with_running_servers
from runtime.embedded.paths import socket_folder
from runtime.embedded.postgres import ROOT_HOME
from runtime.embedded.server import EmbeddedServer, ServerFailed
from runtime.embedded.servers import embedded_servers, restart_ended
from runtime.embedded.valkey import private_valkey
from settings import Settings


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[EmbeddedServer]:
    """A Valkey that runs; stopped at the end."""
    server = private_valkey(tmp_path)
    server.start()
    yield server
    server.stop()


def clear(server: EmbeddedServer) -> None:
    """Remove what a server left outside of the test's own folder."""
    shutil.rmtree(socket_folder(server.folder))
    if ROOT_HOME in server.folder.parents:
        shutil.rmtree(server.folder.parent)


def test_servers_that_the_settings_leave_open_run_inside_the_block(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, insights_home=tmp_path)

    with embedded_servers(settings) as (complete, servers):
        with psycopg.connect(complete.postgres_url.replace("+psycopg", "")) as connection:
            answer = connection.execute("SHOW server_version_num").fetchone()
        with redis.Redis.from_url(complete.redis) as client:
            assert client.ping()
        (key,) = complete.insights_api_keys

    assert answer is not None
    assert int(answer[0]) >= 180_000
    assert len(key.get_secret_value()) >= 16
    for server in servers:
        assert not server.answers(server.url)
        clear(server)


def test_other_commands_find_the_servers_while_they_run(tmp_path: Path) -> None:
    unset = Settings(_env_file=None, insights_home=tmp_path)
    given = unset.model_copy(update={"database_url": SecretStr("postgresql://somewhere/else")})

    with embedded_servers(given) as (complete, _):
        found = with_running_servers(unset)
        other = unset.model_copy(update={"database_url": SecretStr("postgresql://other/one")})
        kept = with_running_servers(other)
        mode = stat.S_IMODE((tmp_path / NOTE).stat().st_mode)

    assert (found.database_url, found.redis_url) == (given.database_url, complete.redis_url)
    assert (kept.database_url, kept.redis_url) == (other.database_url, complete.redis_url)
    assert mode == 0o600
    assert with_running_servers(unset) == unset


def test_the_note_of_a_process_that_was_killed_is_ignored(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, insights_home=tmp_path)
    pid = os.posix_spawn("/bin/true", ["true"], {})
    os.waitpid(pid, 0)
    (tmp_path / NOTE).write_text(f'{{"pid": {pid}, "DATABASE_URL": "postgresql://gone"}}')

    assert with_running_servers(settings) == settings


def test_a_server_that_ended_by_itself_is_started_again(valkey: EmbeddedServer) -> None:
    assert valkey.process is not None
    valkey.process.kill()
    valkey.process.wait()

    restart_ended([valkey])

    assert valkey.answers(valkey.url)


def test_a_server_that_an_earlier_run_left_behind_is_used_and_stopped(
    valkey: EmbeddedServer, tmp_path: Path
) -> None:
    later = private_valkey(tmp_path)

    later.start()
    assert later.process is None
    later.stop(signal.SIGKILL)

    assert not valkey.answers(valkey.url)


def test_a_server_that_does_not_start_is_reported_with_its_log(tmp_path: Path) -> None:
    server = private_valkey(tmp_path)
    server.command = [*server.command, "--no-such-option", "1"]

    with pytest.raises(ServerFailed, match=r"Valkey does not start; see .*log"):
        server.start()
