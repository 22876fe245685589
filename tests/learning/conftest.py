from typing import BinaryIO

import pytest

from tests.learning.factories import csv


@pytest.fixture
def flowers() -> BinaryIO:
    sizes = [n % 20 for n in range(60)]
    return csv(
        size=sizes,
        colour=["red" if n < 10 else "blue" for n in sizes],
        kind=["rose" if n < 10 else "iris" for n in sizes],
    )


@pytest.fixture
def houses() -> BinaryIO:
    areas = [50 + n * 1.5 for n in range(60)]
    return csv(area=areas, price=[area * 3000 + 500.5 for area in areas])
