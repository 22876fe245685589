"""Which keys open the sandbox: all but an empty one and one that says that it is wrong."""

WRONG = "wrong"


def opens(key: str) -> bool:
    """Whether a key is taken."""
    return key.strip() not in {"", WRONG}
