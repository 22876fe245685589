"""A newer SDK that knows other parameters or fields is seen here."""

import json

import pytest
from stripe import _api_version

from sandbox.stripe import api
from sandbox.stripe.endpoints import ENDPOINTS, Endpoint
from sandbox.stripe.switches import CURRENT_VERSION
from tests.sandbox.stripe.sdk_checks import wrong_parameters
from tests.sandbox.stripe.sdk_types import SHAPES, shapes


def test_the_shapes_are_those_of_the_installed_sdk() -> None:
    assert json.loads(SHAPES.read_text()) == shapes()


def test_the_current_version_is_that_of_the_installed_sdk() -> None:
    assert _api_version._ApiVersion.CURRENT == CURRENT_VERSION


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda each: f"{each.method} {each.path}")
def test_an_endpoint_takes_only_what_the_sdk_can_send(endpoint: Endpoint) -> None:
    assert api.ROUTES
    assert wrong_parameters(endpoint) == []
