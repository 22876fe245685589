"""Which API keys the doubles accept: every key but an empty one and `WRONG_KEY`."""

WRONG_KEY = "wrong"  # lets a test, or a user of the sandbox, see what a refused key does


def accepts_key(key: str) -> bool:
    return key.strip() not in {"", WRONG_KEY}
