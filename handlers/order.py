"""Order between handlers (`after=`): it must name handlers that exist, and end somewhere."""

from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter

from errors import InsightsError


class WrongOrder(InsightsError):
    """Raised at start when handlers wait for each other in a circle, or for one that is unknown."""


def check_names(after: Mapping[str, Iterable[str]]) -> None:
    """Check that handlers come after such as exist. Raises WrongOrder."""
    for name, others in after.items():
        for other in others:
            if other not in after:
                known = ", ".join(sorted(after))
                raise WrongOrder(
                    f"'{name}' is to come after '{other}', which is no handler. There are: {known}."
                )


def check_order(after: Mapping[str, Iterable[str]]) -> None:
    """Check that handlers do not wait for each other in a circle. Raises WrongOrder."""
    try:
        TopologicalSorter(after).prepare()
    except CycleError as error:
        circle = " → ".join(error.args[1])
        raise WrongOrder(
            f"Handlers wait for each other in a circle: {circle}. Take one `after=` away."
        ) from None
