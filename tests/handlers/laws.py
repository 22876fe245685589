"""How laws are tried: many small histories, in any order and split, on real servers."""

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from events import Event

law = settings(
    max_examples=40,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
quick_law = settings(law, max_examples=150)


@st.composite
def batches(draw: st.DrawFn, events: list[Event]) -> list[list[Event]]:
    """All events in any order, some of them again, cut into batches anywhere."""
    again = draw(st.lists(st.sampled_from(events), max_size=4))
    order = draw(st.permutations([*events, *again]))
    cuts = sorted(draw(st.sets(st.integers(1, len(order)), max_size=4)))
    return [order[a:b] for a, b in zip([0, *cuts], [*cuts, len(order)], strict=True) if a < b]
