"""Whatever is counted wrong fails the measurement."""

import pytest
from sqlalchemy import text

from benchmarks.books import balance
from benchmarks.errors import BenchFailed
from benchmarks.ground import Ground
from benchmarks.load import publish_predictions
from benchmarks.ours import HANDLERS
from benchmarks.rivals import pure_sql
from benchmarks.site import site

WRONGS = {
    "counters": "UPDATE bench.activity SET count = count + 1 WHERE handler = 'bench_b'",
    "usage": "UPDATE public.usage_limits SET predictions_this_month = 1",
    "lost": "DELETE FROM bench.activity WHERE handler = 'bench_a'",
    "ledger": "DELETE FROM insights.usage_ledger",
    "dead": "INSERT INTO insights.deliveries (handler, event_id, died_at) "
    "SELECT 'usage', id, now() FROM insights.events LIMIT 1",
}


def test_books_balance_while_some_is_owed(given: Ground) -> None:
    with site(given, HANDLERS, users=3) as at:
        publish_predictions(at, 20)
        balance(at, HANDLERS)
        pure_sql.work(at, lease=False)
        publish_predictions(at, 5)
        balance(at, HANDLERS)


@pytest.mark.parametrize("wrong", WRONGS)
def test_a_wrong_count_is_found(given: Ground, wrong: str) -> None:
    with site(given, HANDLERS, users=3) as at:
        publish_predictions(at, 20)
        pure_sql.work(at, lease=True)
        balance(at, HANDLERS)
        with at.assembly.engine.begin() as connection:
            connection.execute(text(WRONGS[wrong]))

        with pytest.raises(BenchFailed, match="do not balance"):
            balance(at, HANDLERS)
