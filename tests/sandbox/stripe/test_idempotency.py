"""Idempotency keys, and faults that make them needed."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import stripe

from tests.doubles import Doubles
from tests.sandbox.stripe.shop import Shop

OPTIONS: Any = {"idempotency_key": "cus:1"}


def count(client: stripe.StripeClient) -> int:
    return len(client.v1.customers.list({"limit": 100}).data)


def test_the_same_key_replays_the_answer(client: stripe.StripeClient) -> None:
    first = client.v1.customers.create({"name": "a"}, OPTIONS)

    second = client.v1.customers.create({"name": "a"}, OPTIONS)

    assert first.id == second.id
    assert count(client) == 1
    assert second.last_response
    assert second.last_response.headers["idempotent-replayed"] == "true"
    assert first.last_response
    assert second.last_response.headers["original-request"] == first.last_response.request_id


def test_other_parameters_under_a_key_are_an_error(client: stripe.StripeClient) -> None:
    client.v1.customers.create({"name": "a"}, OPTIONS)

    with pytest.raises(stripe.IdempotencyError) as refused:
        client.v1.customers.create({"name": "b"}, OPTIONS)

    assert refused.value.http_status == 400
    assert refused.value.error
    assert refused.value.error.type == "idempotency_error"


def test_a_key_in_use_is_a_conflict(client: stripe.StripeClient, doubles: Doubles) -> None:
    doubles.set_stripe(slow=1)
    together = threading.Barrier(2)

    def create(_: int) -> int:
        together.wait()
        try:
            client.v1.customers.create({"name": "a"}, OPTIONS)
        except stripe.APIError as error:
            return error.http_status or 0
        return 200

    with ThreadPoolExecutor(2) as pool:
        statuses = list(pool.map(create, range(2)))

    assert sorted(statuses) == [200, 409]
    assert count(client) == 1


def test_a_key_is_free_again_after_a_day(client: stripe.StripeClient, doubles: Doubles) -> None:
    client.v1.customers.create({"name": "a"}, OPTIONS)

    doubles.advance_clock(hours=24)
    client.v1.customers.create({"name": "b"}, OPTIONS)

    assert count(client) == 2


def test_a_refused_request_does_not_use_up_its_key(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.customers.create({"email": "nobody"}, OPTIONS)

    assert client.v1.customers.create({"email": "a@b.co"}, OPTIONS).id


def test_a_declined_payment_is_replayed(client: stripe.StripeClient, shop: Shop) -> None:
    customer = shop.customer("pm_card_chargeCustomerFail")
    subscription = shop.subscribe(customer)
    invoice = shop.invoices(subscription.id)[0].id
    for _ in range(2):
        with pytest.raises(stripe.CardError):
            client.v1.invoices.pay(invoice, {}, OPTIONS)

    assert client.v1.invoices.retrieve(invoice).attempt_count == 2


def test_a_500_after_the_effect_is_replayed_too(
    client: stripe.StripeClient, doubles: Doubles
) -> None:
    doubles.set_stripe(fail_after=1)
    for _ in range(2):
        with pytest.raises(stripe.APIError) as failed:
            client.v1.customers.create({"name": "a"}, OPTIONS)
        assert failed.value.http_status == 500

    assert count(client) == 1


def test_an_answer_that_is_lost_is_found_under_its_key(
    client: stripe.StripeClient, doubles: Doubles
) -> None:
    doubles.set_fault("stripe", "lose", times=1)
    with pytest.raises(stripe.APIConnectionError):
        client.v1.customers.create({"name": "a"}, OPTIONS)

    assert client.v1.customers.create({"name": "a"}, OPTIONS).id
    assert count(client) == 1


@pytest.mark.parametrize(
    ("status", "error"), [(429, stripe.RateLimitError), (500, stripe.APIError)]
)
def test_faults_have_stripes_own_form(
    status: int, error: type[stripe.StripeError], client: stripe.StripeClient, doubles: Doubles
) -> None:
    doubles.set_fault("stripe", "status", status=status, message="not now", times=1)

    with pytest.raises(error, match="not now"):
        client.v1.customers.list()

    assert client.v1.customers.list().data == []


def test_too_many_requests_in_a_second_get_429(
    client: stripe.StripeClient, doubles: Doubles
) -> None:
    doubles.set_stripe(per_second=3)

    def many() -> None:
        for _ in range(30):
            client.v1.customers.list()

    with pytest.raises(stripe.RateLimitError):
        many()
