"""What may be refused though it fits its schema: rules that no schema can state, by operation.

The built-in check takes every answer 422 to such a request as right. This one takes only those whose
code, and for wrong fields whose pointers, are listed here.
"""

import re

import jsonschema_rs
import schemathesis

# An idempotency key belongs to one request.
REPEATED = {"idempotency_key_reused": None}
# A secret that is said to be elsewhere has to be there, and what is sealed has to be sealed by this gateway.
SECRET = "password|api_token|secret"

RULES = {
    "sendMessage": REPEATED | {
        # Routes decide by number, sender and account.
        "no_route": "/to",
        "route_rejects": None,
        # An account that was just put may have quiet hours.
        "quiet_hours": None,
        # How many parts a text takes, whether its alphabet has it, and whether a header agrees with its
        # length octet; a year ahead of now; octets of what is counted in characters; what has to exist.
        "invalid": r"/text|/binary|/binary/udh|/send_at|/tags/.*|/connector|/route",
    },
    # A group has to exist and to have members.
    "sendBatch": REPEATED | {"invalid": r"/to_group", "batch_size": r"/to_group"},
    # Numbers as countries have them.
    "addMembers": {"invalid": r"/numbers/\d+"},
    # As with a message, and accounts have to exist.
    "explain": {"invalid": r"/account|/text|/binary|/binary/udh|/send_at|/tags/.*|/connector|/route", "not_allowed": None},
    # A connector has to exist.
    "explainInbound": {"invalid": r"/connector"},
    # As with a message.
    "encode": {"invalid": r"/text"},
    # An id is the one in the path, or left out. Ids of webhooks and names of users differ over all accounts.
    # A new login needs a password; what is said to be above has to exist; zones have names; quiet hours end; patterns; a list of
    # prices is not empty, and in one currency with the balance.
    "putAccount": {
        "invalid": rf"/id|/({SECRET})|/webhooks/\d+/(id|secret)|/parent|/time_zone|/price.*|/prepaid.*|/allowed_senders/.*"
        r"|/opt_out/.*|/policy/secret|/quiet_hours(/time_zone)?|/smpp/(system_id|password|password_sha256|allow/\d+)"
        r"|/(ucp|cimd2)/(user|password|password_sha256|time_zone|allow/\d+)"
        r"|/compat/(username|password)|/mqtt/(url|tls|client_id|password)"
    },
    # Only a prepaid account has a balance.
    "creditAccount": REPEATED | {"invalid": ""},
    # One number is at most the other; addresses and networks; one of two that may both be kept.
    # What only one protocol has, and what it needs: see the description of each.
    "putConnector": {
        "invalid": rf"/id|/({SECRET})|/cost.*|/reconnect|/outbind|/outbind/({SECRET}|listen|allow/\d+)"
        r"|/address|/system_id|/window|/long_messages|/validity|/ucp(/time_zone|/alert_address)?|/cimd2(/time_zone)?|/sessions|/password|/tls"
        r"|/query_after_seconds|/modem(/.*)?|/http.*"
        r"|/(system_type|bind|interface_version|address_range|inactivity_seconds|default_alphabet|flash|service_type)"
        r"|/(source|destination|plus_sign|receipt_id|receipt_text_first|receipt_by_look|receipt_states)"
    },
    # What is referred to has to exist.
    # One number is at most the other; patterns, decimals and addresses; what has no meaning beside something else.
    "putRoute": {"invalid": r"/id|/to|/match/(account|parts|text|from_regex|time/\d+/.*|time)|/price.*|/rewrite/.*"},
    "replayRoutes": {"invalid": r"/.*"},
    "putPool": {"invalid": r"/id|/members.*"},
    # Patterns, placeholders and numbers.
    "putInboundRule": {"invalid": r"/id|/account|/match/(connector|text)|/reply|/forward|/forward_text|/webhook/secret"},
    # Numbers as countries have them.
    "createOptOut": {"invalid": r"/phone|/sender"},
    # Times in their language, which may never come; zones have names; ends come after beginnings, and neither long ago. As
    # with a message, and routes decide.
    "createSchedule": REPEATED | {
        "invalid": r"/repeat|/time_zone|/starts_at|/ends_at|/messages/\d+/(text|binary|binary/udh|tags/.*|connector|route)",
        "no_route": r"/messages/\d+/to", "route_rejects": r"/messages/\d+", "quiet_hours": r"/messages/\d+",
    },
    "editSchedule": {
        "invalid": r"/repeat|/time_zone|/starts_at|/ends_at|/messages/\d+/(text|binary|binary/udh|tags/.*|connector|route)",
        "no_route": r"/messages/\d+/to", "route_rejects": r"/messages/\d+", "quiet_hours": r"/messages/\d+",
    },
    "createToken": {"invalid": r"/account|/networks/\d+"},
    "createWebhook": {"invalid": rf"/account|/({SECRET})"},
    # The account stays as it is too.
    "putWebhook": {"invalid": rf"/id|/account|/({SECRET})"},
}


def fits(case):
    """The generator fills in every property it knows, though a schema may say that two exclude each other."""
    definition = case.operation.definition.raw
    content = definition.get("requestBody", {}).get("content", {}).get(case.media_type)
    if content is None or case.media_type != "application/json":
        return True
    schema = content["schema"] | {"components": case.operation.schema.raw_schema["components"]}
    return jsonschema_rs.validator_for(schema).is_valid(case.body)


@schemathesis.check
def only_what_no_schema_states_is_refused(ctx, response, case):
    if response.status_code != 422 or case.meta is None or not case.meta.generation.mode.is_positive:
        return
    if not fits(case):
        return
    problem = response.json()
    rules = RULES.get(case.operation.definition.raw["operationId"], {})
    code, pointers = problem["code"], [error["pointer"] for error in problem.get("errors", [])]
    assert code in rules, f"a schema could state why this is refused: {problem}"
    if rules[code] is not None:
        wrong = [pointer for pointer in pointers if not re.fullmatch(rules[code], pointer)]
        assert not wrong, f"a schema could state what is wrong with {wrong}: {problem}"
