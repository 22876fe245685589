"""The parameters of subscriptions."""

PRORATION = "always_invoice|create_prorations|none"
BEHAVIOUR = "allow_incomplete|default_incomplete|error_if_incomplete|pending_if_incomplete"
COMMON = {
    "automatic_tax.enabled!": "bool",
    "cancel_at_period_end": "bool",
    "collection_method": "charge_automatically|send_invoice",
    "days_until_due": "int",
    "default_payment_method": "str",
    "discounts": "list?",
    "discounts[].coupon": "str",
    "discounts[].discount": "str",
    "discounts[].promotion_code": "str",
    "items[].price": "str",
    "items[].quantity": "int",
    "off_session": "bool",
    "payment_behavior": BEHAVIOUR,
    "proration_behavior": PRORATION,
    "trial_end": "now|int",
    "trial_settings.end_behavior!": "object",
    "trial_settings.end_behavior.missing_payment_method": "cancel|create_invoice|pause",
}
CREATE = COMMON | {
    "billing_mode.type!": "classic|flexible",
    "cancel_at": "int|max_period_end|min_period_end",
    "customer": "str",
    "description": "str",
    "items[].metadata": "map",
    "metadata": "map?",
    "trial_period_days": "int",
}
UPDATE = COMMON | {
    "billing_cycle_anchor.type!": "now|unchanged",
    "cancel_at": "int|max_billed_until|max_period_end|min_period_end?",
    "cancellation_details.comment": "str?",
    "cancellation_details.feedback": (
        "customer_service|low_quality|missing_features|other|switched_service|too_complex|"
        "too_expensive|unused?"
    ),
    "description": "str?",
    "items[].deleted": "bool",
    "items[].id": "str",
    "items[].metadata": "map?",
    "metadata": "map?",
    "pause_collection": "object?",
    "pause_collection.behavior!": "keep_as_draft|mark_uncollectible|void",
    "pause_collection.resumes_at": "int",
    "proration_date": "int",
}
CANCEL = {
    "expand[]": "str",
    "cancellation_details.comment": "str?",
    "cancellation_details.feedback": UPDATE["cancellation_details.feedback"],
    "invoice_now": "bool",
    "prorate": "bool",
}
PAUSE = {
    "bill_for.outstanding_usage_through.type!": "none|now",
    "bill_for.unused_time_from.type!": "item_current_period_start|none|now",
    "invoicing_behavior": "invoice|pending_invoice_item",
    "type": "subscription",
}
RESUME = {
    "billing_cycle_anchor.type!": "now|unchanged",
    "payment_behavior": "resume_on_payment_attempt|resume_on_payment_success",
    "proration_behavior": PRORATION,
    "proration_date": "int",
}
LIST = {
    "collection_method": "charge_automatically|send_invoice",
    "customer": "str",
    "price": "str",
    "status": (
        "active|all|canceled|ended|incomplete|incomplete_expired|past_due|paused|trialing|unpaid"
    ),
    "test_clock": "str",
}
