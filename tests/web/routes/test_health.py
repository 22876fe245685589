"""`/healthz` and `/readyz`."""

import time
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import psycopg
from pydantic import SecretStr
from starlette.testclient import TestClient

from runtime.assembly import Assembly
from runtime.web import make_app
from settings import Settings
from tests.services.redis.limited_user import COMMANDS, KEYS, PASSWORD, limited_user
from tests.web.requests import KEY, STRUCTURED, cloud_event, until
from tests.web.silent_server import SilentServer


def readiness_errors(settings: Settings) -> dict[str, str]:
    """What `/readyz` says is wrong."""
    with TestClient(make_app(settings)) as client:
        answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    return {each["field"]: each["detail"] for each in answer.json()["errors"]}


def test_it_is_ready_when_all_is_there(anonymous: TestClient) -> None:
    answer = anonymous.get("/readyz")

    assert (answer.status_code, answer.json()) == (200, {"status": "ready", "without": []})


def test_it_lives_whatever_is_missing(without_redis: Settings, without_database: Settings) -> None:
    nothing = without_redis.model_copy(update={"database_url": without_database.database_url})

    with TestClient(make_app(nothing)) as client:
        assert client.get("/healthz").json() == {"status": "alive"}


def test_without_redis_it_is_ready_and_says_what_is_missing(without_redis: Settings) -> None:
    with TestClient(make_app(without_redis)) as client:
        answer = client.get("/readyz")

    assert answer.status_code == 200
    assert [each["field"] for each in answer.json()["without"]] == ["redis"]


def test_a_redis_user_without_channels_is_reported(assembly: Assembly) -> None:
    with limited_user(assembly, *KEYS, *COMMANDS) as url:
        settings = assembly.settings.model_copy(update={"redis_url": SecretStr(url)})
        with TestClient(make_app(settings)) as client:
            answer = client.get("/readyz")

    assert answer.status_code == 200
    details = [each["detail"] for each in answer.json()["without"]]
    assert any("REDIS_URL refuses SUBSCRIBE insights:bell:-" in each for each in details)
    assert PASSWORD not in answer.text


def test_all_that_is_missing_is_reported_soon(
    without_redis: Settings, without_database: Settings
) -> None:
    nothing = without_redis.model_copy(update={"database_url": without_database.database_url})
    began = time.monotonic()

    assert readiness_errors(nothing) == {
        "database": "PostgreSQL at DATABASE_URL does not answer.",
        "redis": "Redis at REDIS_URL does not answer.",
    }

    assert time.monotonic() - began < 5


def test_many_who_ask_at_once_share_one_check_and_its_connection(
    silent: SilentServer, without_redis: Settings
) -> None:
    settings = without_redis.model_copy(update={"database_url": silent.as_postgres})
    with TestClient(make_app(settings)) as client, ThreadPoolExecutor(32) as clients:
        answers = list(clients.map(lambda _: client.get("/readyz"), range(32)))

    assert {each.status_code for each in answers} == {503}
    assert len({each.text for each in answers}) == 1
    assert silent.connections == 1


def test_it_answers_while_all_threads_wait_for_the_database(
    silent: SilentServer, assembly: Assembly, user_id: UUID
) -> None:
    settings = assembly.settings.model_copy(update={"database_url": silent.as_postgres})
    event = cloud_event(user_id)
    with TestClient(make_app(settings), headers=KEY) as client, ThreadPoolExecutor(60) as clients:
        for _ in range(50):
            clients.submit(client.post, "/events", json=event, headers=STRUCTURED)
        until(lambda: silent.connections >= 10)
        began = time.monotonic()
        assert client.get("/readyz").status_code == 503
        took = time.monotonic() - began
        silent.close()

    assert took < 4


def test_tables_of_an_older_revision_are_reported(assembly: Assembly, database_url: str) -> None:
    assert_revision_is_reported(assembly, database_url, "0001", named="0001")


def test_a_database_that_was_never_migrated_is_reported(
    assembly: Assembly, database_url: str
) -> None:
    assert_revision_is_reported(assembly, database_url, None, named="nothing")


def test_tables_of_newer_code_are_accepted(
    assembly: Assembly, database_url: str, anonymous: TestClient
) -> None:
    with at_revision(database_url, "9999"):
        assert anonymous.get("/readyz").status_code == 200


def assert_revision_is_reported(
    assembly: Assembly, database_url: str, revision: str | None, named: str
) -> None:
    with at_revision(database_url, revision):
        (detail,) = readiness_errors(assembly.settings).values()
    assert detail.startswith(f"The tables are at {named}, this code needs")
    assert detail.endswith("Run `insights migrate`.")


class at_revision:  # noqa: N801 (used like a function)
    """Has the database claim another revision inside the block; None: none at all."""

    def __init__(self, url: str, revision: str | None) -> None:
        self.connection = psycopg.connect(url, autocommit=True)
        self.revision = revision

    def __enter__(self) -> None:
        query = "DELETE FROM insights.alembic_version RETURNING version_num"
        self.kept = self.connection.execute(query).fetchone()
        self.claim(self.revision)

    def __exit__(self, *_: object) -> None:
        self.connection.execute("DELETE FROM insights.alembic_version")
        self.claim(self.kept[0] if self.kept else None)
        self.connection.close()

    def claim(self, revision: str | None) -> None:
        if revision is not None:
            insert = "INSERT INTO insights.alembic_version VALUES (%s)"
            self.connection.execute(insert, (revision,))
