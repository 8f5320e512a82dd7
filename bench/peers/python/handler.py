"""The handler of FairePlace's webhook guide, in Python: verify, look at the type, read the metadata, answer.

It does what the guide shows and no more: it stores nothing, so an event is lost with its process.
"""

import os

import stripe
from flask import Flask, jsonify, request

SECRET = os.environ["STRIPE_WEBHOOK_SECRET"]
app = Flask(__name__)


@app.post("/webhooks/stripe")
def webhook():
    try:
        event = stripe.Webhook.construct_event(
            request.get_data(), request.headers.get("Stripe-Signature"), SECRET
        )
    except (ValueError, stripe.SignatureVerificationError):
        return "Webhook Error", 400
    data = event["data"]["object"]
    match event["type"]:
        case "checkout.session.completed":
            metadata = data["metadata"]
            credit_tenant(metadata["tenant_id"], int(metadata["credits"]))
        case "charge.succeeded":
            finalise_payment(data["id"])
        case "charge.refunded":
            deduct_credits(data["metadata"]["tenant_id"], data["amount_refunded"])
        case "charge.failed":
            pass
    return jsonify(received=True)


# Where a real handler would work. Empty, so that only receiving is measured.
def credit_tenant(tenant, credits):
    pass


def finalise_payment(payment):
    pass


def deduct_credits(tenant, amount):
    pass
