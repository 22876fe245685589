"""Email templates as Loops keeps them: HTML with `{DATA_VARIABLE:name}` placeholders."""

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass

VARIABLE = re.compile(r"\{DATA_VARIABLE:([A-Za-z0-9_]+)\}")
TITLE = re.compile(r"<title>(.*?)</title>", re.DOTALL)


@dataclass(frozen=True)
class Template:
    """A published transactional email.

    In Loops the subject is a field of its own; here it is the `<title>` of the HTML.
    """

    name: str
    source: str

    @property
    def variables(self) -> frozenset[str]:
        """The data variables that it needs; none is optional."""
        return frozenset(VARIABLE.findall(self.source))

    def render(self, data: Mapping[str, object]) -> str:
        """The email as HTML. Values are escaped: users choose their own names."""
        return VARIABLE.sub(lambda found: html.escape(str(data[found[1]])), self.source)

    def subject(self, data: Mapping[str, object]) -> str:
        found = TITLE.search(self.render(data))
        return html.unescape(found[1].strip()) if found else self.name
