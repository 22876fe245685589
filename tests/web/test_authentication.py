"""Who may come in."""

import pytest
from pydantic import SecretStr
from starlette.testclient import TestClient

from runtime.assembly import Assembly
from tests.web.requests import KEY
from web.app import create_app

ID = "0198c0de-0000-7000-8000-0000000000aa"
CLOSED = [
    ("POST", "/events"),
    ("GET", f"/events/{ID}"),
    ("GET", "/trainings/t-1/progress"),
    ("GET", "/trainings/t-1/progress/stream"),
    ("GET", f"/users/{ID}/usage"),
]
NO_KEYS = [
    "",
    "Bearer",
    "Bearer ",
    "Bearer a-key-for-the-test",
    "Bearer a-key-for-the-tests2",
    "Basic a-key-for-the-tests",
    "a-key-for-the-tests",
    "Bearer caf\u00e9",
]


@pytest.mark.parametrize(("method", "path"), CLOSED)
def test_without_a_key_nothing_opens(stranger: TestClient, method: str, path: str) -> None:
    answers = [stranger.request(method, path)]
    for shown in NO_KEYS:
        headers = {b"Authorization": shown.encode("latin-1")}
        answers.append(stranger.request(method, path, headers=headers))

    assert {each.status_code for each in answers} == {401}
    assert {each.headers["content-type"] for each in answers} == {"application/problem+json"}
    told = {each.headers["www-authenticate"] for each in answers}
    assert told == {'Bearer realm="insights"', 'Bearer realm="insights", error="invalid_token"'}


def test_the_scheme_may_be_written_in_any_case(stranger: TestClient) -> None:
    headers = {"Authorization": "bearer a-key-for-the-tests"}

    assert stranger.get("/trainings/t-1/progress", headers=headers).status_code == 404


def test_any_of_several_keys_opens(assembly: Assembly) -> None:
    keys = tuple(SecretStr(f"a-key-of-server-{number}") for number in range(3))
    settings = assembly.settings.model_copy(update={"insights_api_keys": keys})

    with TestClient(create_app(settings)) as client:
        for key in keys:
            headers = {"Authorization": f"Bearer {key.get_secret_value()}"}
            assert client.get("/trainings/t-1/progress", headers=headers).status_code == 404
        assert client.get("/trainings/t-1/progress", headers=KEY).status_code == 401


def test_where_no_key_is_set_nobody_comes_in(assembly: Assembly) -> None:
    settings = assembly.settings.model_copy(update={"insights_api_keys": ()})

    with TestClient(create_app(settings)) as client:
        assert client.get("/trainings/t-1/progress", headers=KEY).status_code == 401
        empty = {"Authorization": "Bearer "}
        assert client.get("/trainings/t-1/progress", headers=empty).status_code == 401
