"""Email templates as Loops keeps them: HTML with `{DATA_VARIABLE:name}` where data go."""

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass

VARIABLE = re.compile(r"\{DATA_VARIABLE:([A-Za-z0-9_]+)\}")
TITLE = re.compile(r"<title>(.*?)</title>", re.DOTALL)


@dataclass(frozen=True)
class Template:
    """A published transactional email; its subject is what stands in `<title>`."""

    name: str
    source: str

    @property
    def variables(self) -> frozenset[str]:
        """The data that it needs, all of them."""
        return frozenset(VARIABLE.findall(self.source))

    def render(self, data: Mapping[str, object]) -> str:
        """The email as it is sent."""
        return VARIABLE.sub(lambda found: html.escape(str(data[found[1]])), self.source)

    def subject(self, data: Mapping[str, object]) -> str:
        """Its subject line."""
        found = TITLE.search(self.render(data))
        return html.unescape(found[1].strip()) if found else self.name
