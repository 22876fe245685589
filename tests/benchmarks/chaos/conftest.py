"""A finished run, shared by all tests that change what it left behind."""

from collections.abc import Iterator

import pytest

from tests.benchmarks.chaos.finished_run import FinishedRun, run_without_faults
from tests.doubles import Doubles
from tests.factories import Servers


@pytest.fixture(scope="package")
def finished_run(
    servers: Servers, sandbox: Doubles, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[FinishedRun]:
    with run_without_faults(servers, sandbox, tmp_path_factory.mktemp("chaos")) as finished:
        yield finished
