"""Buys, holds and spends credits with the client that openapi-python-client generates from our document.

Each step prints a line; the first failure ends the program.
"""

import os
import uuid

from faireplace_client import AuthenticatedClient
from faireplace_client.api.credits_ import balance, list_packages, list_transactions, purchase
from faireplace_client.api.payments import list_payments, show_payment
from faireplace_client.api.spending import capture_hold, create_hold, list_holds, release_hold
from faireplace_client.api.spending import show_hold, spend
from faireplace_client.models import Capture, Failure, NewHold, NewPurchase, NewSpend

CLIENT = AuthenticatedClient(
    base_url=os.environ["FAIREPLACE_URL"], token=os.environ["FAIREPLACE_KEY"], raise_on_unexpected_status=True
)


def ask(operation, *arguments, status=200, **words):
    """Checks the status and returns the parsed answer."""
    answer = operation.sync_detailed(*arguments, client=CLIENT, **words)
    assert answer.status_code == status, (answer.status_code, answer.content)
    assert answer.parsed is not None, answer.content
    return answer.parsed


def available():
    return ask(balance).data.available


def fresh():
    return str(uuid.uuid4())


def ok(step):
    print(f"ok {step}", flush=True)


def spending():
    before = available()
    ok("balance")
    key, body = fresh(), NewSpend(credits_=1, reference="lease-2041")
    spent = ask(spend, body=body, idempotency_key=key)
    assert spent.data.credits_ == 1 and available() == before - 1, spent
    ok("spend")
    again = ask(spend, body=body, idempotency_key=key)
    assert again.data.transaction_id == spent.data.transaction_id and available() == before - 1, again
    ok("the same spend again")
    refused = ask(spend, body=NewSpend(credits_=1_000_000), idempotency_key=fresh(), status=422)
    assert isinstance(refused, Failure) and refused.error.type_ == "INSUFFICIENT_CREDITS", refused
    assert available() == before - 1, refused
    ok("a refusal, parsed")
    rehearsed = ask(spend, body=NewSpend(credits_=2, dry_run=True))
    assert rehearsed.data.transaction_id is None and available() == before - 1, rehearsed
    ok("a dry run, without a key")
    history = ask(list_transactions, per_page=1)
    assert history.data[0].reference == "lease-2041" and history.meta.pagination.total >= 1, history
    ok("the history")


def holding():
    before = available()
    two = NewHold(credits_=2, reference="envelope-7")
    held = ask(create_hold, body=two, idempotency_key=fresh(), status=201)
    assert ask(show_hold, held.data.id).data.state == "open" and available() == before - 2, held
    ok("hold")
    captured = ask(capture_hold, held.data.id, body=Capture(credits_=1), idempotency_key=fresh())
    assert captured.data.hold.state == "captured" and available() == before - 1, captured
    ok("capture a part, and the rest returns")
    other = ask(create_hold, body=NewHold(credits_=1), idempotency_key=fresh(), status=201)
    assert ask(release_hold, other.data.id, idempotency_key=fresh()).data.hold.state == "released"
    twice = ask(release_hold, other.data.id, idempotency_key=fresh(), status=409)
    assert twice.error.type_ == "HOLD_RESOLVED" and available() == before - 1, twice
    ok("release, once")
    assert len(ask(list_holds).data) == 2
    ok("the holds")


def buying():
    package = ask(list_packages).data[0]
    body = NewPurchase(package=package.package, success_url="https://shop.example.com/done")
    bought = ask(purchase, body=body, idempotency_key=fresh(), status=201)
    assert bought.data.credits_ == package.credits_ and bought.data.checkout_url.startswith("http"), bought
    assert ask(show_payment, bought.data.session_id).data.status == "pending"
    ok("purchase")
    assert len(ask(list_payments).data) >= 1
    ok("the payments")


spending()
holding()
buying()
