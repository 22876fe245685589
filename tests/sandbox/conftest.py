"""Node, for the SDKs that the vendors make for it."""

import pytest

from tests.sandbox.node import Node, installed_node


@pytest.fixture(scope="session")
def node() -> Node:
    return installed_node()
