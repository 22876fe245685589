"""Form bodies as Stripe's SDKs write them."""

import pytest

from sandbox.stripe.errors import StripeError
from sandbox.stripe.forms import decode


@pytest.mark.parametrize(
    ("text", "params"),
    [
        ("a=b&c=", {"a": "b", "c": ""}),
        ("metadata[user_id]=u1&metadata[x%20y]=%26", {"metadata": {"user_id": "u1", "x y": "&"}}),
        ("items[0][price]=p&items[1][price]=q", {"items": [{"price": "p"}, {"price": "q"}]}),
        ("expand[]=a&expand[]=b", {"expand": ["a", "b"]}),
        ("items%5B0%5D%5Bprice%5D=p", {"items": [{"price": "p"}]}),
        ("a[10]=z&a[9]=y", {"a": ["y", "z"]}),
    ],
)
def test_brackets_nest(text: str, params: object) -> None:
    assert decode(text) == params


@pytest.mark.parametrize("text", ["[a]=b", "a[b=c", "a=b&a[c]=d", "a" + "[b]" * 20 + "=c"])
def test_what_nobody_writes_is_refused(text: str) -> None:
    with pytest.raises(StripeError) as refused:
        decode(text)

    assert refused.value.status == 400
