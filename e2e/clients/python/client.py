"""Signs and verifies with the official Stripe and Standard Webhooks libraries for Python.

Reads JSON requests from standard input, one per line, and writes answers. Bytes are in hexadecimal.
"""

import json
import sys
import time
from datetime import datetime, timezone

from standardwebhooks.webhooks import Webhook as NoticeWebhook
from stripe import Webhook, WebhookSignature


def header(request):
    # WSGI and ASGI servers read header values as Latin-1.
    return bytes.fromhex(request["header"]).decode("latin-1")


def sign(request):
    body = bytes.fromhex(request["body"]).decode("utf-8")
    return WebhookSignature.generate_signature_header(body, request["secret"], request["now"])


def construct(request):
    body = bytes.fromhex(request["body"])
    return Webhook.construct_event(body, header(request), request["secret"], request["tolerance"]).id


def verify(request):
    body = bytes.fromhex(request["body"])
    return WebhookSignature.verify_header(body, header(request), request["secret"], request["tolerance"])


def verify_notice(request):
    return NoticeWebhook(request["secret"]).verify(bytes.fromhex(request["body"]), request["headers"])


def sign_notice(request):
    headers, body = request["headers"], bytes.fromhex(request["body"]).decode("utf-8")
    moment = datetime.fromtimestamp(int(headers["webhook-timestamp"]), timezone.utc)
    return NoticeWebhook(request["secret"]).sign(headers["webhook-id"], moment, body)


VERBS = {
    "sign": sign,
    "construct": construct,
    "verify": verify,
    "verify_notice": verify_notice,
    "sign_notice": sign_notice,
}


def main():
    for line in sys.stdin:
        request = json.loads(line)
        # The library uses the wall clock; replace it with the time of the test.
        time.time = lambda: request["now"]
        try:
            answer = {"done": VERBS[request["verb"]](request)}
        except Exception as error:
            answer = {"refused": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


main()
