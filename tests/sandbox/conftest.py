"""RunScript, for the SDKs that the vendors make for it."""

import pytest

from tests.sandbox.node_scripts import RunScript, script_runner


@pytest.fixture(scope="session")
def node() -> RunScript:
    return script_runner()
