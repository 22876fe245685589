"""What people write where there is no value."""

# In lower case. In a column of words, none of them counts: "NA" is Namibia, "None" a class.
MARKERS = frozenset(
    [
        *"na n/a n.a. n.a #n/a #na nan null none nil nd n.d. n/d nk n/k k.a. k.a k/a".split(),
        *"missing unknown unbekannt neznámé (null) (blank)".split(),
        *"#div/0! #value! #ref! #num! #name?".split(),
        *"x inf -inf +inf infinity -infinity bd b.d. <lod nr".split(),
        *"n.r. n/r nv n.v. bdl - -- . : ? ??".split(),
        *"nedostupné brak kein keine entfällt absent tbd tba \\n / \\ <na> nat undefined".split(),
        "not available",
        "not applicable",
        "no data",
        "keine angabe",
        "not a number",
    ]
)
FILLERS = set("*-.:–—_…·~?# ")  # signs of which a marker of any length is made: ***, ---, ..


def is_filler(value: str) -> bool:
    """Whether a cell is made of signs alone, such as `---` or `*****`."""
    return bool(value) and set(value) <= FILLERS
