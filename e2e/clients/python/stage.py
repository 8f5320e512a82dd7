"""Shared by all steps of the scenario: the official SDK, the shop that receives webhooks, and the emulator's
control API, which advances the clock.
"""

import json
import os
import subprocess
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import stripe

DAY = 86_400
CARD = {"card": "4242424242424242"}
PAY = Path(__file__).resolve().parent.parent / "node" / "pay.cjs"


class Endpoint:
    """A path of the shop, with its own secrets and behaviour."""

    def __init__(self, url):
        self.url, self.secrets, self.status, self.arrivals, self.id = url, [], 200, [], None

    def register(self, client, **params):
        created = client.v1.webhook_endpoints.create({"url": self.url, **params})
        self.id, self.secrets = created.id, [created.secret]
        return created

    def receive(self, body, header):
        verified = []
        for secret in self.secrets:
            try:
                verified.append(stripe.Webhook.construct_event(body, header, secret))
            except stripe.SignatureVerificationError:
                verified.append(None)
        event = next(filter(None, verified), None)
        # Deliveries with a wrong signature are stored, too: the steps assert that there are none.
        self.arrivals.append((event, verified))
        return self.status if event else 400

    @property
    def events(self):
        return [event for event, _ in self.arrivals if event]

    def about(self, *ids):
        """The events about any of these objects, in order of arrival."""
        names = ("id", "payment_intent", "charge")
        about = lambda item: any(item.get(name) in ids for name in names if item.get(name))
        return [event for event in self.events if about(event.data.object.to_dict())]


class Stage:
    def __init__(self):
        self.base = os.environ["STRIPE_API_BASE"]
        self.client = self.with_key(os.environ["STRIPE_SECRET_KEY"])
        self.v1 = self.client.v1
        self.endpoints = {}
        stage = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                status = stage.endpoints[self.path].receive(body, self.headers["stripe-signature"])
                self.answer(status)

            def do_GET(self):
                self.answer(200)

            def answer(self, status):
                self.send_response(status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        Thread(target=self.server.serve_forever, daemon=True).start()

    def with_key(self, key):
        return stripe.StripeClient(key, base_addresses={"api": self.base}, max_network_retries=0)

    def endpoint(self, path):
        self.endpoints[path] = Endpoint(self.url + path)
        return self.endpoints[path]

    def ask(self, method, path, body=None):
        """Calls the emulator's control API; returns status and answer."""
        request = urllib.request.Request(f"{self.base.rstrip('/')}/_emulator{path}", method=method)
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("content-type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def control(self, method, path, body=None):
        status, text = self.ask(method, path, body)
        assert status == 200, f"{method} /_emulator{path}: {status} {text}"
        return json.loads(text)

    def advance(self, seconds):
        self.control("POST", "/advance", {"seconds": seconds})

    def settled(self):
        self.control("GET", "/settled")

    def order(self, **params):
        """The required parameters of a Checkout Session, and more."""
        product = {"name": "Twenty credits"}
        price = {"currency": "eur", "unit_amount": 2000, "product_data": product}
        return {
            "mode": "payment",
            "success_url": self.url + "/success?session_id={CHECKOUT_SESSION_ID}",
            "line_items": [{"quantity": 1, "price_data": price}],
            **params,
        }

    def pay_on_page(self, session, card, hands):
        """Pays in a browser; returns the URL after the payment."""
        command = ["node", str(PAY), session.url, card, hands]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def buy(self, method, **params):
        """Pays through the control API; returns the session, its PaymentIntent, its charge and all ids."""
        session = self.v1.checkout.sessions.create(self.order(**params))
        self.control("POST", f"/sessions/{session.id}/pay", method)
        return self.purchase(session.id)

    def purchase(self, session_id):
        self.settled()
        expand = {"expand": ["payment_intent.latest_charge"]}
        session = self.v1.checkout.sessions.retrieve(session_id, expand)
        intent = session.payment_intent
        charge = intent.latest_charge
        return session, intent, charge, (session.id, intent.id, charge.id)


def refused(request, kind, **fields):
    """The expected error of a request: its class in the SDK, and some of its fields."""
    try:
        answer = request()
    except stripe.StripeError as error:
        said = f"{type(error).__name__} ({error.http_status} {error.code}): {error}"
        assert isinstance(error, kind), f"expected {kind.__name__}, got {said}"
        for name, value in fields.items():
            assert getattr(error, name) == value, f"{name} is {getattr(error, name)!r} in {said}"
        return error
    raise AssertionError(f"accepted: {answer}")


def types(events):
    return [event.type for event in events]


def in_order(found, *wanted):
    rest = iter(found)
    for name in wanted:
        assert name in rest, f"no {name} in its place: {found}"
