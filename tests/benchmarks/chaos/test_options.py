"""How the time of a run is divided."""

from benchmarks.chaos.options import Options


def test_faults_overlap_until_each_came_once_and_in_a_long_run_for_a_third_of_it() -> None:
    assert Options(30, 1).storm(kinds=20) == 30
    assert Options(60, 1).storm(kinds=20) == 34
    assert Options(60, 1).storm(kinds=2) == 18
    assert Options(600, 1).storm(kinds=20) == 180
