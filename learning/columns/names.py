"""What the name of a column says about its values."""

import re

from learning.files.names import UNIT

CAMEL = re.compile(r"(?<=[a-zà-ž0-9])(?=[A-ZÀ-Ž])")
CODE_WORDS = frozenset(
    "id ids uuid guid code codes kod kód plz psc psč zip zipcode postal postcode postleitzahl "
    "account acct konto kontonummer iban station brand marke material materialnummer sku ean isbn "
    "gtin fips siren siret ico ičo vin serial icd naics nace artikelnummer kundennummer "
    "identifier phone telefon customerid userid patientid".split()
)
# Also words for counts: digits must look like a code, too.
WEAK_CODE_WORDS = frozenset(
    "nr no num nummer číslo cislo key ref index item part article artikel number".split()
)
ROW_WORDS = frozenset("id index row rownames rowid no nr lfd pos position # number".split())
TIME_WORDS = frozenset("time hhmm zeit uhrzeit čas cas hour dep arr hora heure godzina".split())
IN_BRACKETS = re.compile(r"[\[(]\s*(?:in )?([^\])]{1,10}?)\s*[\])]\s*$")


def words_of(name: str) -> list[str]:
    """Return the words of a name in lower case: `patientId`, `patient_id` give two."""
    apart = CAMEL.sub(" ", name)
    words = [word for word in re.split(r"[\W_]+", apart.casefold()) if word]
    return words + (["#"] if "#" in name else [])


def unit_in(name: str) -> str | None:
    """Return the unit that a name ends with, as in `weight (kg)`."""
    match = IN_BRACKETS.search(name)
    return match[1] if match and UNIT.match(match[1]) else None


def says_code(name: str) -> bool:
    """Whether a name says that its numbers are codes."""
    return bool(CODE_WORDS & set(words_of(name)))


def may_say_code(name: str) -> bool:
    """Whether a name may say so: `nr` is also a count."""
    words = words_of(name)
    counts = {"of", "count", "total", "per"} & set(words)
    return bool(WEAK_CODE_WORDS & set(words)) and not counts


def says_row(name: str) -> bool:
    """Whether a name may be that of a column which numbers the rows."""
    return bool((ROW_WORDS | {"column"}) & set(words_of(name))) or name == ""


def says_time(name: str) -> bool:
    """Whether a name says that its numbers are times of day."""
    return bool(TIME_WORDS & set(words_of(name)))
