"""Stripe's unchanged SDK against the double, and somebody who receives webhooks."""

import os
from collections.abc import Iterator

import pytest
import stripe

from tests.doubles import Doubles
from tests.sandbox.stripe.receiver import Receiver, running_receiver
from tests.sandbox.stripe.sdk_checks import wrong_objects
from tests.sandbox.stripe.shop import Shop


@pytest.fixture
def client(request: pytest.FixtureRequest) -> Iterator[stripe.StripeClient]:
    """The SDK as our code uses it; only the addresses are another's.

    Afterwards every object of the double must be such as the SDK declares it. With a key of a
    Stripe sandbox in TEST_STRIPE_KEY, what needs no switch of the double runs there instead, at
    TEST_STRIPE_URL where that is set.
    """
    key = os.getenv("TEST_STRIPE_KEY")
    if key is not None:
        if {"doubles", "receiver"} & set(request.fixturenames):
            pytest.skip("needs the double")
        base = os.getenv("TEST_STRIPE_URL")
        yield stripe.StripeClient(key, base_addresses={"api": base} if base else {})
        return
    doubles: Doubles = request.getfixturevalue("doubles")
    url = f"{doubles.url}/stripe"
    yield stripe.StripeClient(
        "sk_test_sandbox",
        base_addresses={"api": url, "files": url, "connect": url, "meter_events": url},
        http_client=stripe.RequestsClient(timeout=10),
        max_network_retries=0,
    )
    assert wrong_objects(doubles.state("stripe")) == []


@pytest.fixture
def shop(client: stripe.StripeClient) -> Shop:
    return Shop(client)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with running_receiver() as receiver:
        yield receiver
