"""Requests: keys, parameters, envelopes, pages of lists, expansion, idempotency, faults."""

import httpx
import pytest
import stripe

from tests.doubles import Doubles
from tests.sandbox.stripe.shop import DAY, START, Shop

KEY = {"Authorization": "Bearer sk_test_sandbox"}


def post(doubles: Doubles, path: str, body: str, **headers: str) -> httpx.Response:
    """A request as it goes over the wire, for what the SDK cannot send."""
    form = {"content-type": "application/x-www-form-urlencoded"}
    url = f"{doubles.url}/stripe/v1/{path}"
    return httpx.post(url, content=body, headers=KEY | form | headers)


@pytest.mark.parametrize(
    ("path", "body", "code", "param"),
    [
        ("customers", "nickname=a", "parameter_unknown", "nickname"),
        ("customers", "invoice_settings[x]=a", "parameter_unknown", "invoice_settings[x]"),
        ("customers", "email=", "parameter_invalid_empty", "email"),
        ("customers", "email=nobody", "email_invalid", "email"),
        ("customers", "balance=much", "parameter_invalid_integer", "balance"),
        ("customers", "metadata=a", None, "metadata"),
        ("customers", "tax_exempt=perhaps", None, "tax_exempt"),
        ("customers", "test_clock=clock_x", "resource_missing", "test_clock"),
        ("products", "active=true", "parameter_missing", "name"),
        ("products", "name=a&active=yes", None, "active"),
        ("products", "name=a&images=a", None, "images"),
        ("prices", "currency=usd&product=prod_x&unit_amount=1", "resource_missing", "product"),
        ("subscriptions", "customer=cus_x", "resource_missing", "customer"),
        ("checkout/sessions", "payment_method_types[0]=card", "parameter_unknown", None),
        ("subscriptions/sub_x", "billing_cycle_anchor=now", None, "billing_cycle_anchor"),
        ("webhook_endpoints", "url=ftp://a&enabled_events[0]=*", None, "url"),
        ("coupons", "percent_off=120", None, "percent_off"),
        ("customers", "[a]=b", None, "[a]"),
    ],
)
def test_what_stripe_does_not_take_is_refused(
    path: str, body: str, code: str | None, param: str | None, doubles: Doubles
) -> None:
    answer = post(doubles, path, body)

    error = answer.json()["error"]
    assert answer.status_code == 400
    assert (error["type"], error.get("code")) == ("invalid_request_error", code)
    assert param is None or error["param"] == param
    assert error["message"]


def test_a_body_that_is_not_utf8_is_refused(doubles: Doubles) -> None:
    answer = httpx.post(f"{doubles.url}/stripe/v1/customers", content=b"name=\xff", headers=KEY)

    assert answer.status_code == 400


def test_an_unknown_address_is_named(doubles: Doubles) -> None:
    answer = httpx.get(f"{doubles.url}/stripe/v1/pigeons", headers=KEY)

    assert answer.status_code == 404
    assert "GET: /v1/pigeons" in answer.json()["error"]["message"]


def test_every_answer_names_its_request(client: stripe.StripeClient) -> None:
    response = client.v1.customers.list().last_response
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.customers.retrieve("cus_nobody")

    assert response
    assert response.request_id
    assert response.request_id.startswith("req_")
    assert refused.value.request_id
    assert refused.value.request_id != response.request_id
    assert (refused.value.http_status, refused.value.code) == (404, "resource_missing")


@pytest.mark.parametrize(
    ("key", "error"),
    [
        ("", stripe.AuthenticationError),
        ("sk_test_wrong", stripe.AuthenticationError),
        ("sk_live_other", stripe.AuthenticationError),
        ("pk_test_public", stripe.AuthenticationError),
        ("rk_test_narrow", stripe.PermissionError),
    ],
)
def test_a_wrong_key_is_refused(
    key: str, error: type[stripe.StripeError], client: stripe.StripeClient, doubles: Doubles
) -> None:
    doubles.set_stripe(denied=["/v1/refunds"])

    with pytest.raises(error):
        client.v1.refunds.list(options={"api_key": key or "none"})
    if key.startswith("rk"):
        assert client.v1.customers.list(options={"api_key": key}).data == []


def test_an_unknown_version_is_refused(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="version"):
        client.v1.customers.list(options={"stripe_version": "2099-01-01.later"})


def test_lists_go_page_by_page_newest_first(client: stripe.StripeClient) -> None:
    made = [client.v1.customers.create({"name": str(i)}).id for i in range(7)]

    first = client.v1.customers.list({"limit": 3})
    second = client.v1.customers.list({"limit": 3, "starting_after": first.data[-1].id})
    back = client.v1.customers.list({"limit": 3, "ending_before": second.data[0].id})

    assert [each.id for each in first.data] == made[:3:-1]
    assert (first.has_more, first.url) == (True, "/v1/customers")
    assert [each.id for each in back.data] == [each.id for each in first.data]
    every = client.v1.customers.list({"limit": 2}).auto_paging_iter()
    assert [each.id for each in every] == made[::-1]
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.customers.list({"limit": 101})


def test_lists_are_filtered_by_time(client: stripe.StripeClient, doubles: Doubles) -> None:
    old = client.v1.customers.create()
    doubles.advance_clock(hours=1)
    new = client.v1.customers.create()

    found = client.v1.customers.list({"created": {"gt": old.created}})

    assert [each.id for each in found.data] == [new.id]


def test_lists_leave_out_what_belongs_to_a_test_clock(shop: Shop) -> None:
    clock = shop.clock()
    with_clock, without = shop.customer(clock=clock), shop.customer()
    timed = shop.subscribe(with_clock).id
    shop.subscribe(without)
    v1 = shop.client.v1

    assert [each.id for each in v1.customers.list().data] == [without]
    assert [each.id for each in v1.customers.list({"test_clock": clock}).data] == [with_clock]
    assert [each.id for each in v1.subscriptions.list({"test_clock": clock}).data] == [timed]
    assert [each.id for each in v1.subscriptions.list({"customer": with_clock}).data] == [timed]
    assert timed not in [each.id for each in v1.subscriptions.list().data]


def test_what_is_expanded_is_shown_and_nothing_else_is(shop: Shop) -> None:
    made = shop.subscribe(shop.customer())

    plain = shop.subscription(made.id)
    full = shop.subscription(made.id, "customer", "latest_invoice.payments", "latest_invoice.lines")

    assert isinstance(plain.latest_invoice, str)
    assert isinstance(full.customer, stripe.Customer)
    assert isinstance(full.latest_invoice, stripe.Invoice)
    assert full.latest_invoice.payments
    assert full.latest_invoice.payments.data[0].status == "paid"
    assert "payments" not in shop.invoices(made.id)[0]
    with pytest.raises(stripe.InvalidRequestError, match="cannot be expanded"):
        shop.subscription(made.id, "nonsense")


def test_lookup_keys_move_to_the_new_price(shop: Shop) -> None:
    old = shop.price(2900, lookup_key="pro_monthly")
    with pytest.raises(stripe.InvalidRequestError, match="already uses that lookup key"):
        shop.price(3900, lookup_key="pro_monthly")

    new = shop.price(3900, lookup_key="pro_monthly", transfer_lookup_key=True)

    found = shop.client.v1.prices.list({"lookup_keys": ["pro_monthly"], "active": True})
    assert [each.id for each in found.data] == [new]
    assert shop.client.v1.prices.retrieve(old).lookup_key is None


def test_events_are_listed_for_30_days_and_by_20_types(
    client: stripe.StripeClient, doubles: Doubles
) -> None:
    client.v1.customers.create()
    event = client.v1.events.list({"types": ["customer.created"]}).data[0]
    assert client.v1.events.retrieve(event.id).type == "customer.created"
    with pytest.raises(stripe.InvalidRequestError, match="20"):
        client.v1.events.list({"types": ["customer.created"] * 21})

    doubles.advance_clock(hours=30 * 24)

    assert client.v1.events.list().data == []
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.events.retrieve(event.id)


def test_a_clock_moves_forward_and_not_too_far(shop: Shop) -> None:
    clock = shop.clock()
    shop.subscribe(shop.customer(clock=clock))
    clocks = shop.client.v1.test_helpers.test_clocks

    with pytest.raises(stripe.InvalidRequestError, match="two intervals"):
        clocks.advance(clock, {"frozen_time": START + 70 * DAY})
    with pytest.raises(stripe.InvalidRequestError, match="later"):
        clocks.advance(clock, {"frozen_time": START - 1})
    assert clocks.advance(clock, {"frozen_time": START + DAY}).status == "advancing"
    clocks.delete(clock)
    assert shop.client.v1.subscriptions.list({"test_clock": clock}).data == []


def test_the_account_of_a_key(client: stripe.StripeClient) -> None:
    assert client.v1.accounts.retrieve_current().country == "US"


def test_metadata_is_merged_key_by_key(client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create({"metadata": {"a": "1", "b": "2"}})

    changed = client.v1.customers.update(customer.id, {"metadata": {"a": "", "c": "3"}})

    assert changed.metadata is not None
    assert changed.metadata.to_dict() == {"b": "2", "c": "3"}
