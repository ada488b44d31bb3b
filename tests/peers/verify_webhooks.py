"""Says of each webhook call on standard input, a JSON line with its headers and body, whether the
reference implementation of Standard Webhooks takes it for genuine: verify_webhooks.py SECRET"""

import json
import sys

from standardwebhooks.webhooks import Webhook, WebhookVerificationError


def genuine(webhook, call):
    try:
        webhook.verify(call["body"], call["headers"])
        return True
    except WebhookVerificationError:
        return False


webhook = Webhook(sys.argv[1])
print(json.dumps([genuine(webhook, json.loads(line)) for line in sys.stdin]))
