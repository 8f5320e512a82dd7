"""A shop that uses Stripe, with Stripe's own SDK for Python, STRIPE_API_BASE and STRIPE_SECRET_KEY. Written
from Stripe's documentation and the SDK's types. Prints `ok NAME` for each step; stops at the first failure.

`../node/pay.cjs` controls the browser; NODE_PATH is where its packages are installed.
"""

import sys

import stripe
from stage import CARD, DAY, Stage, in_order, refused, types

STEPS = []
# FairePlace's published retry schedule: seconds between attempts.
SCHEDULE = (300, 1_800, 7_200, 28_800, 86_400)
MARGIN = 60
PAID = [
    "payment_intent.created",
    "charge.succeeded",
    "payment_intent.succeeded",
    "checkout.session.completed",
]


def step(name):
    def keep(run):
        STEPS.append((name, run))
        return run

    return keep


@step("a product and its price")
def catalogue(stage, shop):
    product = stage.v1.products.create({"name": "Ten credits", "metadata": {"credits": "10"}})
    assert product.metadata.to_dict() == {"credits": "10"}
    price = {"product": product.id, "unit_amount": 1500, "currency": "eur", "tax_behavior": "exclusive"}
    stage.price = stage.v1.prices.create(price)
    expanded = stage.v1.prices.retrieve(stage.price.id, {"expand": ["product"]})
    assert expanded.product.name == "Ten credits"


@step("an endpoint, whose secret is shown once")
def endpoint(stage, shop):
    created = shop.register(stage.client, enabled_events=["*"])
    assert created.secret.startswith("whsec_") and created.status == "enabled"
    assert "secret" not in stage.v1.webhook_endpoints.retrieve(created.id).to_dict()


@step("a session with two kinds of line items, paid with the keyboard alone")
def by_keyboard(stage, shop):
    inline = {"currency": "eur", "unit_amount": 700, "product_data": {"name": "One sticker"}}
    inline["tax_behavior"] = "exclusive"
    lines = [{"price": stage.price.id, "quantity": 2}, {"price_data": inline, "quantity": 3}]
    metadata = {"tenant_id": "550e8400-e29b-41d4-a716-446655440000", "package": "10_credits", "credits": "10"}
    order = stage.order(line_items=lines, metadata=metadata, automatic_tax={"enabled": True})
    session = stage.v1.checkout.sessions.create(order)
    assert (session.status, session.payment_status) == ("open", "unpaid")
    assert (session.amount_subtotal, session.payment_intent) == (5100, None)
    items = stage.v1.checkout.sessions.line_items.list(session.id)
    told = [(item.description, item.quantity) for item in items.data]
    assert told == [("Ten credits", 2), ("One sticker", 3)], told
    landed = stage.pay_on_page(session, CARD["card"], "keyboard")
    assert landed == f"{stage.url}/success?session_id={session.id}", landed
    assert "checkout.session.completed" in types(shop.events), "the page returned before the event"

    session, intent, charge, ids = stage.purchase(session.id)
    events = shop.about(*ids)
    assert types(events) == PAID, types(events)
    assert all(event for event, _ in shop.arrivals), "something arrived that its secret does not verify"
    assert events[-1].data.object.metadata.to_dict() == metadata
    assert all(event.data.object.metadata.to_dict() == {} for event in events[:-1]), "metadata leaked"
    assert (session.payment_status, session.status, intent.status) == ("paid", "complete", "succeeded")
    assert session.total_details.amount_tax > 0
    assert session.amount_total == session.amount_subtotal + session.total_details.amount_tax
    assert charge.amount_captured == intent.amount_received == session.amount_total


@step("paid with the mouse; payment_intent_data.metadata reaches the charge")
def by_mouse(stage, shop):
    intent_data = {"metadata": {"tenant_id": "tenant-2"}}
    session = stage.v1.checkout.sessions.create(stage.order(payment_intent_data=intent_data))
    stage.pay_on_page(session, CARD["card"], "mouse")
    _, intent, charge, _ = stage.purchase(session.id)
    assert intent.metadata.to_dict() == charge.metadata.to_dict() == {"tenant_id": "tenant-2"}


@step("an expired session cannot be paid")
def expired(stage, shop):
    session = stage.v1.checkout.sessions.create(stage.order())
    assert stage.v1.checkout.sessions.expire(session.id).status == "expired"
    stage.settled()
    assert types(shop.about(session.id)) == ["checkout.session.expired"]
    status, text = stage.ask("POST", f"/sessions/{session.id}/pay", CARD)
    assert 400 <= status < 500, (status, text)
    expire = lambda: stage.v1.checkout.sessions.expire(session.id)
    refused(expire, stripe.InvalidRequestError, http_status=400)


@step("a declined card, then another on the same session")
def declined(stage, shop):
    session = stage.v1.checkout.sessions.create(stage.order())
    stage.ask("POST", f"/sessions/{session.id}/pay", {"card": "4000000000009995"})
    stage.settled()
    again = stage.v1.checkout.sessions.retrieve(session.id)
    assert (again.status, again.payment_status) == ("open", "unpaid")
    failed = next(event for event in reversed(shop.events) if event.type == "charge.failed").data.object
    assert failed.failure_code == "card_declined"
    assert failed.outcome.reason == "insufficient_funds"
    stage.control("POST", f"/sessions/{session.id}/pay", CARD)
    _, intent, _, _ = stage.purchase(session.id)
    assert failed.payment_intent == intent.id


@step("lists return every object once, newest first and in reverse")
def paging(stage, shop):
    made = [stage.v1.customers.create({"name": f"Customer {number}"}).id for number in range(27)]
    pages = lambda **params: stage.v1.customers.list({"limit": 10, **params}).auto_paging_iter()
    assert [it.id for it in pages()][:27] == made[::-1]
    assert [it.id for it in pages(ending_before=made[0])] == made[1:]
    assert [it.id for it in pages(starting_after=made[20])][:20] == made[19::-1]


@step("events by type and by creation time")
def events(stage, shop):
    session, intent, charge, _ = stage.buy(CARD)
    found = stage.v1.events.list({"type": "charge.succeeded", "limit": 5}).data
    assert found[0].data.object.id == charge.id
    assert set(types(found)) == {"charge.succeeded"}
    both = {"types": ["charge.succeeded", "payment_intent.succeeded"], "limit": 2}
    assert types(stage.v1.events.list(both).data) == ["payment_intent.succeeded", "charge.succeeded"]
    since = stage.v1.events.list({"created": {"gte": session.created}, "limit": 100}).auto_paging_iter()
    assert all(event.created >= session.created for event in since)
    assert stage.v1.events.list({"created": {"gt": session.created + DAY}}).data == []


@step("an idempotency key replays the answer and rejects another request")
def idempotency(stage, shop):
    options = {"idempotency_key": "python-once"}
    first = stage.v1.customers.create({"name": "Once"}, options)
    again = stage.v1.customers.create({"name": "Once"}, options)
    assert again.to_dict() == first.to_dict()
    assert again.last_response.headers.get("idempotent-replayed") == "true"
    assert first.last_response.headers.get("idempotent-replayed") is None
    another = lambda: stage.v1.customers.create({"name": "Twice"}, options)
    refused(another, stripe.IdempotencyError, http_status=400)


@step("a wrong key, a missing object, an unknown parameter")
def typed_errors(stage, shop):
    stranger = stage.with_key("sk_test_somebody_elses_0123456789")
    error = refused(stranger.v1.customers.list, stripe.AuthenticationError, http_status=401)
    assert "somebody" not in str(error), "the key is not repeated"
    missing = lambda: stage.v1.charges.retrieve("ch_missing")
    error = refused(missing, stripe.InvalidRequestError, http_status=404, code="resource_missing")
    assert "No such charge: 'ch_missing'" in str(error), error
    unknown = lambda: stage.v1.customers.create({"flavour": "x"})
    refused(unknown, stripe.InvalidRequestError, code="parameter_unknown", param="flavour")


@step("half is refunded, more than the rest is rejected")
def refund(stage, shop):
    _, intent, charge, ids = stage.buy(CARD)
    half = stage.v1.refunds.create({"payment_intent": intent.id, "amount": 1000})
    assert (half.amount, half.status, half.charge) == (1000, "succeeded", charge.id)
    stage.settled()
    in_order(types(shop.about(*ids)), "refund.created", "charge.refunded")
    refunded = shop.about(*ids)[-1].data
    assert (refunded.object.amount_refunded, refunded.object.refunded) == (1000, False)
    assert refunded.previous_attributes["amount_refunded"] == 0
    more = lambda: stage.v1.refunds.create({"charge": charge.id, "amount": 1001})
    refused(more, stripe.InvalidRequestError, http_status=400, param="amount")
    stage.v1.refunds.create({"charge": charge.id})
    rest = lambda: stage.v1.refunds.create({"charge": charge.id})
    refused(rest, stripe.InvalidRequestError, code="charge_already_refunded")


@step("refunds that succeed late, and that fail late")
def late_refunds(stage, shop):
    for card, at_once, at_last in (
        ("4000000000007726", "pending", "succeeded"),
        ("4000000000005126", "succeeded", "failed"),
    ):
        _, _, charge, ids = stage.buy({"card": card})
        made = stage.v1.refunds.create({"charge": charge.id})
        assert made.status == at_once, (card, made.status)
        stage.advance(30 * DAY)
        assert stage.v1.refunds.retrieve(made.id).status == at_last, card
        name = "refund.failed" if at_last == "failed" else "refund.updated"
        in_order(types(shop.about(*ids)), "refund.created", name)


@step("a dispute won, a dispute lost, an inquiry")
def disputes(stage, shop):
    for card, evidence, status, moved in (
        ("4000000000000259", "winning_evidence", "won", [-2000, 2000]),
        ("4000000000002685", "losing_evidence", "lost", [-2000]),
        ("4000000000001976", None, "warning_needs_response", []),
    ):
        _, _, charge, ids = stage.buy({"card": card})
        stage.advance(3600)
        (dispute,) = stage.v1.disputes.list({"charge": charge.id}).data
        if evidence:
            assert dispute.status == "needs_response"
            refuse = lambda: stage.v1.refunds.create({"charge": charge.id})
            refused(refuse, stripe.InvalidRequestError, code="charge_disputed")
            answer = {"evidence": {"uncategorized_text": evidence}, "submit": True}
            stage.v1.disputes.update(dispute.id, answer)
            stage.advance(DAY)
        ended = stage.v1.disputes.retrieve(dispute.id)
        assert ended.status == status
        assert [leg.amount for leg in ended.balance_transactions] == moved
        said = types(shop.about(dispute.id, *ids))
        assert ("charge.dispute.funds_withdrawn" in said) == (len(moved) > 0), said
        assert ("charge.dispute.funds_reinstated" in said) == (len(moved) > 1), said
        assert ("charge.dispute.closed" in said) == (evidence is not None), said


@step("SEPA debits that succeed and fail days later")
def debits(stage, shop):
    for iban, outcome, paid in (
        ("AT321904300235473204", "checkout.session.async_payment_succeeded", "paid"),
        ("AT861904300235473202", "checkout.session.async_payment_failed", "unpaid"),
    ):
        session, _, _, ids = stage.buy({"iban": iban})
        assert (session.status, session.payment_status) == ("complete", "unpaid")
        stage.advance(14 * DAY)
        in_order(types(shop.about(*ids)), "checkout.session.completed", outcome)
        assert stage.v1.checkout.sessions.retrieve(session.id).payment_status == paid


@step("a rotated secret: both verify, then only the new one")
def rotate(stage, shop):
    rotated = stage.endpoint("/rotated")
    old = rotated.register(stage.client, enabled_events=["checkout.session.completed"]).secret
    new = stage.control("POST", f"/endpoints/{rotated.id}/rotate", {"grace_period_seconds": 3600})["secret"]
    rotated.secrets = [old, new]
    for expected, later in ([True, True], 3700), ([False, True], 0):
        stage.buy(CARD)
        _, verified = rotated.arrivals[-1]
        assert [event is not None for event in verified] == expected
        stage.advance(later)
    stage.v1.webhook_endpoints.delete(rotated.id)


@step("an endpoint with version 2022-11-15 receives charge.refunded and no refund.*")
def old_version(stage, shop):
    old = stage.endpoint("/old")
    old.register(stage.client, enabled_events=["*"], api_version="2022-11-15")
    _, _, charge, _ = stage.buy(CARD)
    stage.v1.refunds.create({"charge": charge.id, "amount": 500})
    stage.settled()
    assert "charge.refunded" in types(old.events)
    assert not any(name.startswith("refund.") for name in types(old.events)), types(old.events)
    assert {event.api_version for event in old.events} == {"2022-11-15"}
    stage.v1.webhook_endpoints.delete(old.id)


@step("a failing endpoint is tried again over three days, signed afresh each time")
def failing(stage, shop):
    broken = stage.endpoint("/failing")
    broken.register(stage.client, enabled_events=["checkout.session.completed"])
    broken.status = 500
    session, _, _, _ = stage.buy(CARD)
    for failures, delay in enumerate(SCHEDULE, start=1):
        assert len(broken.arrivals) == failures
        stage.advance(delay - MARGIN)
        assert len(broken.arrivals) == failures, f"too early, before {delay} s"
        stage.advance(MARGIN)
    stage.advance(3 * DAY)
    assert len(broken.arrivals) == len(SCHEDULE) + 1, "it is given up"
    assert len(broken.events) == len(broken.arrivals), "an attempt did not verify"
    assert {event.data.object.id for event in broken.events} == {session.id}
    stage.v1.webhook_endpoints.delete(broken.id)


def main():
    stage = Stage()
    shop = stage.endpoint("/webhooks/stripe")
    for name, run in STEPS:
        try:
            run(stage, shop)
        except Exception:
            print(f"not ok {name}", file=sys.stderr)
            raise
        print(f"ok {name}", flush=True)


main()
