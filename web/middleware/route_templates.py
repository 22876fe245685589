"""The names of routes, such as `/events/{event_id}`: the same for each id."""

import re
from collections.abc import Sequence

from fastapi.routing import iter_route_contexts
from starlette.routing import BaseRoute, compile_path
from starlette.types import Scope

UNKNOWN = "*"


class RouteTemplates:
    """Finds the route of a request before the router does."""

    def __init__(self, routes: Sequence[BaseRoute]) -> None:
        paths = [context.path for context in iter_route_contexts(routes)]
        self.known: list[tuple[re.Pattern[str], str]] = [
            (compile_path(path)[0], path) for path in paths if path is not None
        ]

    def of(self, scope: Scope) -> str:
        """The template of the request's path; `*` for every unknown path."""
        path = scope["path"]
        return next((template for known, template in self.known if known.match(path)), UNKNOWN)
