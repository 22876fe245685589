"""Which requests need an API key, and which keys are accepted."""

import pytest
from pydantic import SecretStr
from starlette.testclient import TestClient

from runtime.assembly import Assembly
from runtime.web import make_app
from tests.web.requests import KEY

ID = "0198c0de-0000-7000-8000-0000000000aa"
NEED_A_KEY = [
    ("POST", "/events"),
    ("GET", f"/events/{ID}"),
    ("GET", "/trainings/t-1/progress"),
    ("GET", "/trainings/t-1/progress/stream"),
    ("GET", f"/users/{ID}/usage"),
]
WRONG_KEYS = [
    "",
    "Bearer",
    "Bearer ",
    "Bearer a-key-for-the-test",
    "Bearer a-key-for-the-tests2",
    "Basic a-key-for-the-tests",
    "a-key-for-the-tests",
    "Bearer caf\u00e9",
]


@pytest.mark.parametrize(("method", "path"), NEED_A_KEY)
def test_without_a_key_every_request_is_refused(
    anonymous: TestClient, method: str, path: str
) -> None:
    answers = [anonymous.request(method, path)]
    for value in WRONG_KEYS:
        headers = {b"Authorization": value.encode("latin-1")}
        answers.append(anonymous.request(method, path, headers=headers))

    assert {each.status_code for each in answers} == {401}
    assert {each.headers["content-type"] for each in answers} == {"application/problem+json"}
    challenges = {each.headers["www-authenticate"] for each in answers}
    assert challenges == {
        'Bearer realm="insights"',
        'Bearer realm="insights", error="invalid_token"',
    }


def test_the_scheme_may_be_written_in_any_case(anonymous: TestClient) -> None:
    headers = {"Authorization": "bearer a-key-for-the-tests"}

    assert anonymous.get("/trainings/t-1/progress", headers=headers).status_code == 404


def test_any_of_several_keys_is_accepted(assembly: Assembly) -> None:
    keys = tuple(SecretStr(f"a-key-of-server-{number}") for number in range(3))
    settings = assembly.settings.model_copy(update={"insights_api_keys": keys})

    with TestClient(make_app(settings)) as client:
        for key in keys:
            headers = {"Authorization": f"Bearer {key.get_secret_value()}"}
            assert client.get("/trainings/t-1/progress", headers=headers).status_code == 404
        assert client.get("/trainings/t-1/progress", headers=KEY).status_code == 401


def test_where_no_key_is_set_every_request_is_refused(assembly: Assembly) -> None:
    settings = assembly.settings.model_copy(update={"insights_api_keys": ()})

    with TestClient(make_app(settings)) as client:
        assert client.get("/trainings/t-1/progress", headers=KEY).status_code == 401
        empty = {"Authorization": "Bearer "}
        assert client.get("/trainings/t-1/progress", headers=empty).status_code == 401
