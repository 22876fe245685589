"""Products."""

from sandbox.stripe.endpoints import CREATED, PAGE, Call, endpoint
from sandbox.stripe.errors import invalid
from sandbox.stripe.lists import page_of
from sandbox.stripe.objects import Object, update_map

CREATE = {
    "active": "bool",
    "description": "str",
    "id": "str",
    "images[]": "str",
    "metadata": "map",
    "name!": "str",
    "statement_descriptor": "str",
    "tax_code": "str",
    "unit_label": "str",
    "url": "str",
}
UPDATE = {
    "active": "bool",
    "default_price": "str",
    "description": "str?",
    "images": "list?",
    "images[]": "str",
    "metadata": "map?",
    "name": "str",
    "statement_descriptor": "str",
    "tax_code": "str?",
    "unit_label": "str?",
    "url": "str?",
}


@endpoint("POST", "/v1/products", CREATE)
def create(call: Call) -> Object:
    """A new product, under an id of the caller's where one is given."""
    account = call.account
    if call["id"] in account.of("product"):
        raise invalid("Product already exists.", "id", "resource_already_exists")
    fields = {"id": call["id"]} if call["id"] else {}
    made = account.add(
        "product",
        active=True,
        default_price=None,
        images=[],
        marketing_features=[],
        metadata={},
        name=call["name"],
        tax_code=None,
        type="service",
        updated=account.now(),
        **fields,
    )
    change(made, call)
    account.emit("product.created", made)
    return made


def change(product: Object, call: Call) -> None:
    """Set what was given."""
    for name, value in call.params.items():
        if name == "metadata":
            update_map(product["metadata"], value)
        elif name in product:
            product[name] = None if value == "" else value


@endpoint("GET", "/v1/products/{id}")
def retrieve(call: Call) -> Object:
    return call.account.get("product", call.id)


@endpoint("POST", "/v1/products/{id}", UPDATE)
def update(call: Call) -> Object:
    product = call.account.live("product", call.id)
    if call["default_price"]:
        call.account.get("price", call["default_price"], "default_price")
    with call.account.change(product, "product.updated"):
        change(product, call)
    return product


@endpoint("DELETE", "/v1/products/{id}")
def delete(call: Call) -> Object:
    """Only a product without prices can be deleted."""
    account, product = call.account, call.account.live("product", call.id)
    if any(price["product"] == call.id for price in account.of("price").values()):
        raise invalid(
            "This product cannot be deleted because it has one or more user-created prices."
        )
    account.emit("product.deleted", product)
    del account.of("product")[call.id]
    return {"id": call.id, "object": "product", "deleted": True}


@endpoint("GET", "/v1/products", PAGE | CREATED | {"active": "bool", "ids[]": "str"})
def list_(call: Call) -> Object:
    rows = call.account.of("product").values()
    wanted = [row for row in rows if call["ids"] is None or row["id"] in call["ids"]]
    return page_of(call, wanted, active=call["active"])
