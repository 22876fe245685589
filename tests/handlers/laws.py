"""How laws are tried: many small histories on real servers."""

from hypothesis import HealthCheck, settings

law = settings(
    max_examples=40,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
quick_law = settings(law, max_examples=150)
