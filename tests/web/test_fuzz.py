"""Whatever is sent to `POST /events`, the answer is a 202 or names what is wrong: never a 5xx."""

import json
from typing import Any
from urllib.parse import quote
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from tests.web.requests import BATCHED, STRUCTURED, cloud_event

USER = UUID("0198c0de-0000-7000-8000-0000000000aa")
KINDS = [*STRUCTURED.values(), *BATCHED.values(), "application/json", "text/json", "x", ""]
DATA: dict[str, dict[str, Any]] = {
    "prediction.made": {"model_id": "m", "batch": False, "prediction_count": 1},
    "dataset.deleted": {"dataset_id": "d"},
    "training.progressed": {"training_id": "t", "progress": 5.5, "message": "m"},
    "training.requested": {
        "training_id": "t",
        "dataset_id": "d",
        "target": "y",
        "model_name": "n",
        "hyperparameters": {"depth": 3},
    },
    "user.signed_up": {"email": "ada@example.com", "name": "Ada"},
    "usage.limit_exceeded": {},
    "unknown": {},
}
ATTRIBUTES = [
    *("specversion", "id", "source", "type", "subject", "userid", "time", "correlationid"),
    *("causationid", "traceparent", "datacontenttype", "dataschema", "data", "data_base64", "x"),
]

texts = st.text(st.characters(codec="utf-8"), max_size=30)
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | texts
    | st.sampled_from(["\0", "\\u0000", "2026-01-01T00:00:00Z", str(USER), "-1", "1e999", "٣"])
    | st.datetimes().map(lambda at: at.isoformat() + "Z")
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


@st.composite
def almost_events(draw: st.DrawFn) -> Any:
    """An event with some things changed, left out or added."""
    type_ = draw(st.sampled_from(sorted(DATA)))
    data = dict(DATA[type_]) | draw(st.dictionaries(st.sampled_from([*DATA[type_], "z"]), values))
    for name in draw(st.sets(st.sampled_from([*DATA[type_], "z"]), max_size=1)):
        data.pop(name, None)
    event = cloud_event(USER, type=type_, id=draw(texts), data=data)
    event |= draw(st.dictionaries(st.sampled_from(ATTRIBUTES), values, max_size=2))
    for name in draw(st.sets(st.sampled_from(ATTRIBUTES), max_size=1)):
        event.pop(name, None)
    return event


def send_and_check(client: TestClient, body: bytes, headers: dict[str, str]) -> None:
    raw = {name.encode(): value.encode("latin-1") for name, value in headers.items()}
    answer = client.post("/events", content=body, headers=raw)
    assert answer.status_code < 500, answer.text
    if answer.status_code == 202:
        assert all(UUID(each) for each in answer.json()["ids"])
    else:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["detail"]


fuzz = settings(
    max_examples=80,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)


@fuzz
@given(event=almost_events())
def test_almost_an_event(shared_client: TestClient, event: Any) -> None:
    send_and_check(shared_client, json.dumps(event).encode(), STRUCTURED)


@fuzz
@given(batch=st.lists(almost_events() | values, max_size=4))
def test_almost_a_batch(shared_client: TestClient, batch: Any) -> None:
    send_and_check(shared_client, json.dumps(batch).encode(), BATCHED)


@fuzz
@given(event=almost_events())
def test_almost_an_event_in_headers(shared_client: TestClient, event: dict[str, Any]) -> None:
    data = json.dumps(event.pop("data", None)).encode()
    kind = event.pop("datacontenttype", "application/json")
    headers = {
        f"ce-{name}": quote(value if isinstance(value, str) else json.dumps(value), safe=' %"')
        for name, value in event.items()
    }
    send_and_check(shared_client, data, headers | ({"Content-Type": kind} if kind in KINDS else {}))


@fuzz
@given(
    event=almost_events(),
    cut=st.tuples(st.integers(0, 400), st.integers(0, 400)),
    noise=st.binary(max_size=20),
    kind=st.sampled_from(KINDS),
)
def test_bytes_that_are_almost_json(
    shared_client: TestClient, event: Any, cut: tuple[int, int], noise: bytes, kind: str
) -> None:
    whole = json.dumps(event).encode()
    send_and_check(shared_client, whole[: cut[0]] + noise + whole[cut[1] :], {"Content-Type": kind})


@fuzz
@given(name=st.sampled_from(ATTRIBUTES), value=st.binary(max_size=20), kind=st.sampled_from(KINDS))
def test_headers_of_any_bytes(
    shared_client: TestClient, name: str, value: bytes, kind: str
) -> None:
    kept = bytes(each for each in value if each not in b"\r\n\0")
    send_and_check(
        shared_client, b"{}", {f"ce-{name}": kept.decode("latin-1"), "Content-Type": kind}
    )
