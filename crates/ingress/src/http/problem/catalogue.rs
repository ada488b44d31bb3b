//! The catalogue: every code that an answer or a message's reason may carry, what causes it and
//! what cures it. `docs/errors.md` is written from it.

use std::fmt::Write;

/// One kind of problem.
#[derive(Debug, PartialEq, Eq)]
pub struct Entry {
    /// The code; never changes once it was given out.
    pub code: &'static str,
    /// The HTTP status that it comes with.
    pub status: u16,
    /// A short name for people.
    pub title: &'static str,
    /// What leads to it.
    pub cause: &'static str,
    /// What to do about it.
    pub cure: &'static str,
    /// Seconds after which the same request may do better; `None` if it never will.
    pub retry_after: Option<u32>,
}

/// Why a message ended as it did, or why it waits: a `reason.code`.
#[derive(Debug, PartialEq, Eq)]
pub struct ReasonEntry {
    /// The code; never changes once it was given out.
    pub code: &'static str,
    /// What it means.
    pub cause: &'static str,
    /// What to do about it.
    pub cure: &'static str,
}

macro_rules! entries {
    ($($name:ident = $status:literal $code:literal $(retry $after:literal)?, $title:literal, $cause:literal, $cure:literal;)*) => {
        $(
            #[doc = $cause]
            pub static $name: Entry = Entry {
                code: $code,
                status: $status,
                title: $title,
                cause: $cause,
                cure: $cure,
                retry_after: entries!(@after $($after)?),
            };
        )*

        /// Every entry, by status.
        pub static ALL: &[&Entry] = &[$(&$name),*];
    };
    (@after) => { None };
    (@after $after:literal) => { Some($after) };
}

entries! {
    MALFORMED_REQUEST = 400 "malformed_request", "The request is not HTTP",
        "The request line or a header breaks the rules of HTTP/1.1 (RFC 9112), or `Content-Length` is no length.",
        "Send what an HTTP library writes. The connection is closed, for nobody knows where the next request begins.";
    MALFORMED_JSON = 400 "malformed_json", "The body is not JSON",
        "The request's body is empty, is cut off, or breaks the syntax of JSON (RFC 8259) or UTF-8.",
        "Send what a JSON library writes; `detail` names the line and column where reading stopped.";
    BAD_QUERY = 400 "bad_query", "A query parameter is wrong",
        "A query parameter is not known here, stands twice, or has a value that it can't have.",
        "See `errors`: each entry's pointer is `/query/` and the parameter's name.";
    BAD_HEADER = 400 "bad_header", "A header is wrong",
        "A request header has a value that it can't have: an `Idempotency-Key` is 1 to 255 printable ASCII characters.",
        "Correct the header that `detail` names.";
    TOKEN_MISSING = 401 "token_missing", "No token",
        "The request has no `Authorization: Bearer …` header.",
        "Send the API token of the account. `postrider token create --account ID` makes one.";
    TOKEN_UNKNOWN = 401 "token_unknown", "The token is not known",
        "The token was mistyped, was deleted, or belongs to another installation.",
        "Check the token, or make a new one: tokens are stored as hashes and can't be shown again.";
    TOKEN_EXPIRED = 401 "token_expired", "The token has expired",
        "The token's `expires_at` has passed.",
        "Make a new token.";
    BALANCE_TOO_LOW = 402 "balance_too_low", "The balance is too low",
        "The account is prepaid, or one above it is, and its balance does not cover what was handed in. A batch is paid for whole or refused whole.",
        "Have the operator put money in with `POST /v1/accounts/{id}/credit`; `GET /v1/accounts/{id}/usage` shows the balance.";
    ACCOUNT_DISABLED = 403 "account_disabled", "The account is switched off",
        "The account, or one above it, has `enabled = false`.",
        "Ask the operator to enable the account.";
    TOKEN_NETWORK = 403 "token_network", "The token may not be used from here",
        "The token has `networks`, and the request comes from none of them.",
        "Send it from an address of those networks, or make a token without them.";
    NOT_BELOW = 403 "not_below", "The account is not below the token's",
        "The header `Postrider-Account` names an account that does not stand below that of the token.",
        "Leave the header out, or have the operator put the account below with `parent`.";
    SCOPE_MISSING = 403 "scope_missing", "The token may not do this",
        "The token lacks the scope that this operation asks for.",
        "Use a token with the scope that `detail` names.";
    NOT_ALLOWED = 403 "not_allowed", "The account may not do this",
        "The account's settings forbid what was asked, such as choosing a connector itself.",
        "Leave out what `detail` names, or have the operator allow it for the account.";
    SENDER_NOT_ALLOWED = 403 "sender_not_allowed", "The sender is not allowed",
        "The account has `allowed_senders`, and the sender is none of them.",
        "Use a sender that the account may use, or have the operator allow this one.";
    COUNTRY_NOT_ALLOWED = 403 "country_not_allowed", "The country is not allowed",
        "The account has `allowed_countries` or `denied_countries`, and the recipient's country is not open to it.",
        "Don't send there, or have the operator open the country for the account.";
    OPTED_OUT = 403 "opted_out", "The recipient has opted out",
        "The phone wrote a word such as STOP to the account, or its opt-out was put by `POST /v1/opt-outs`.",
        "Send it nothing more. It opts in again by writing START, or the opt-out is deleted when it has agreed elsewhere.";
    SIGNATURE_WRONG = 403 "signature_wrong", "The signature is wrong",
        "A provider's call under `/carriers` has no signature, or one that does not fit what was signed and the connector's key.",
        "Correct the key in the connector's `http.signature`, and `http.callback.url`: some providers sign the address that they call.";
    NOT_FOUND = 404 "not_found", "Not found",
        "There is no such path, or no such thing under this id, or it is another account's.",
        "Check the path and the id. Ids are given back when things are made, and by lists.";
    METHOD_NOT_ALLOWED = 405 "method_not_allowed", "Wrong method",
        "The path exists, but not with this method.",
        "Use one of the methods in the answer's `Allow` header.";
    REQUEST_TIMEOUT = 408 "request_timeout" retry 1, "The request came too slowly",
        "The request's body was not complete within the time limit; of a stream of lines, not even the next line was.",
        "Send it again over a better connection. A stream goes on under its `Idempotency-Key`; empty lines keep it open.";
    KEY_IN_USE = 409 "idempotency_key_in_use" retry 1, "The idempotency key is in use",
        "Another request with the same `Idempotency-Key` is being answered right now.",
        "Wait and repeat the request: it will be answered with the first one's answer.";
    TOO_LATE = 409 "too_late_to_cancel", "Too late to cancel",
        "The message is just being sent, has ended, or the carrier gave it no id to ask by.",
        "Read the message to see where it is. One that is being sent may be canceled when it was.";
    TOO_LATE_TO_REPLACE = 409 "too_late_to_replace", "Too late to replace",
        "The message is just being sent, it has ended, or a carrier has or may have several parts of it, or one that it gave no id to ask by.",
        "Read the message to see where it is. What is wrong with it can only be said in another message.";
    BATCH_CANCELED = 409 "batch_canceled", "The batch was canceled",
        "A batch that was canceled, or is being canceled, can't be paused, does not go on, and takes in no more.",
        "Send what is to go out after all in a new batch.";
    SCHEDULE_ENDED = 409 "schedule_ended", "The schedule has ended",
        "A schedule that has ended is not held back, and does not go on by itself.",
        "Change its `ends_at`, `count` or `repeat` with `PATCH` so that there is something to come, or make another one.";
    TOO_MANY_SCHEDULES = 409 "too_many_schedules", "The account has too many schedules",
        "An account has at most 1,000 schedules, those that have ended and are still kept among them.",
        "Delete those that are not needed any more.";
    CANCEL_REFUSED = 409 "cancel_refused", "The carrier keeps the message",
        "The carrier has the message and refused to take it back; `detail` has its `command_status`.",
        "Mostly it is on the phone, or on its way there: read the message. Where the carrier never cancels, set `cancel = false` on the connector.";
    PARTLY_CANCELED = 409 "partly_canceled", "Only a part was taken back",
        "The carrier took back some parts of a long message and not the others. Each part's `status` says which.",
        "Cancel it again for the others, or let them go: the message keeps its status until they have ended.";
    REPLACE_REFUSED = 409 "replace_refused", "The carrier keeps the message as it is",
        "The carrier has the message and refused to put another text in its place; or the operation could not carry it. `detail` says which.",
        "Mostly it is on the phone, or on its way there: read the message. Where the carrier never replaces, set `replace = false` on the connector.";
    CARRIER_NOT_ASKED = 409 "carrier_not_asked", "The connector does not ask that",
        "The message is at the carrier, and its connector has `cancel = false`, `query = false` or `replace = false`; or its protocol has no operation that replaces a message, as only SMPP and UCP do; or USSD was asked of a connector that is no modem.",
        "Wait for the receipt; or change the connector if its carrier can be asked.";
    QUERY_REFUSED = 409 "query_refused", "The carrier does not say",
        "The carrier refused to tell the state of the message; `detail` has its `command_status`.",
        "It may have forgotten the message, or have no such operation: then set `query = false` on the connector.";
    STILL_USED = 409 "still_used", "Something refers to it",
        "Other resources refer to the one that is to be deleted.",
        "Change or delete those that `errors` names first.";
    ALREADY_EXISTS = 409 "already_exists", "The id is taken",
        "There is one of this kind with this id already.",
        "Choose another id, or use `PUT` to change the one there is.";
    GROUP_LIMIT = 409 "group_limit", "No more groups or members",
        "An account makes at most 1,000 groups, and a group has at most 10,000 members. Of a list that does not fit none is added.",
        "Take out what is not needed, or divide the members among several groups.";
    RESOURCES_CHANGED = 409 "resources_changed" retry 1, "Somebody else was first",
        "The resources were changed by somebody else at the same moment.",
        "Read them again and repeat the change.";
    RESOURCES_READ_ONLY = 409 "resources_read_only", "A file is the only authority",
        "The gateway was started with `--resources FILE`, so resources change in that file only.",
        "Edit the file; it is read again when it changes.";
    BODY_TOO_LARGE = 413 "body_too_large", "The body is too large",
        "A body has at most 1 MiB, that of `POST /v1/batches` at most 32 MiB, unless it is a stream of lines, `application/x-ndjson`.",
        "Split the request, or send a batch as a stream.";
    URI_TOO_LONG = 414 "uri_too_long", "The address is too long",
        "The request line has more octets than can be read.",
        "Shorten the query.";
    UNSUPPORTED_MEDIA_TYPE = 415 "unsupported_media_type", "Wrong content type",
        "The body's `Content-Type` is not one that the operation reads, or it has a `Content-Encoding`.",
        "Send `Content-Type: application/json`; a batch may also be `application/x-ndjson`. Don't compress the body.";
    QUIET_HOURS = 422 "quiet_hours" retry 60, "The message comes in quiet hours",
        "The account, or one above it, has `quiet_hours` in which its messages are refused, or in which they wait and this one would have expired before their end.",
        "Send it when they have ended, which `detail` says; give it a longer `validity_seconds`; or have it ignore them, if the account lets it.";
    INVALID = 422 "invalid", "Fields are wrong",
        "The body is JSON, but fields are missing, unknown, of the wrong type or out of range.",
        "See `errors`: every fault is there with a JSON pointer (RFC 6901) to its field.";
    KEY_REUSED = 422 "idempotency_key_reused", "The idempotency key was used for something else",
        "Within 24 hours the same `Idempotency-Key` came with another request.",
        "Use a new key for each new request, and the same key only to repeat it.";
    NO_ROUTE = 422 "no_route", "No route takes the message",
        "No route matches the recipient, sender and account.",
        "Add a route, or correct the recipient.";
    ROUTE_REJECTS = 422 "route_rejects", "A route refuses the message",
        "The first route that matches has `action = \"reject\"`.",
        "Change that route, which `detail` names, or don't send there.";
    POLICY_REJECTS = 422 "policy_rejects", "The account's policy refuses the message",
        "The account, or one above it, has a `policy` service, and that decided to reject the message; `detail` has its reason.",
        "Don't send there, or ask whoever runs the service.";
    ROUTE_UNFIT = 422 "route_unfit", "A route makes no address of it",
        "The route that takes the message rewrites its sender or recipient, and what comes out is no address.",
        "Operators: correct the route's `rewrite`, which `detail` names. Senders: try another sender.";
    NO_PRICE = 422 "no_price", "There is no price",
        "The account is prepaid, and neither the route nor the account's `price` says what the recipient's number costs.",
        "Give the account's `price` a `default`, or a prefix that fits the number.";
    BATCH_SIZE = 422 "batch_size", "The batch is empty or too long",
        "A batch has 1 to 10,000 messages; a stream of lines, `application/x-ndjson`, has at least one.",
        "Split it, or send it as a stream.";
    THROUGHPUT_EXCEEDED = 429 "throughput_exceeded" retry 1, "Too fast",
        "The account hands in more parts a second than its `throughput`. A second's worth may come at once; a batch is taken whole and then paid back, and of a stream of lines it is only the reading that waits.",
        "Repeat the request after `Retry-After`, and send more slowly.";
    QUOTA_EXCEEDED = 429 "quota_exceeded" retry 60, "The quota is used up",
        "The account, or one above it, has handed in as many parts as its `quota` allows for the day or the month. A batch is taken whole or refused whole.",
        "Wait until the quota begins anew, which is when `Retry-After` says, or have the operator raise it.";
    QUEUE_FULL = 429 "queue_full" retry 1, "The queue is full",
        "As many messages of the account, or of one above it, wait to be sent as its `max_queue` allows, scheduled ones among them. A batch is taken whole or refused whole.",
        "Repeat the request after `Retry-After`; messages make room as they are sent. A batch larger than `max_queue` is never taken: split it.";
    HEADERS_TOO_LARGE = 431 "headers_too_large", "The headers are too large",
        "A request has at most 64 headers, and its request line and headers together at most 32 KiB, unless the gateway was configured otherwise.",
        "Send fewer or shorter headers.";
    INTERNAL = 500 "internal", "A fault of the gateway",
        "The gateway came to a state that it should not be in. It goes on running.",
        "Report it with the `request_id`; the gateway's log has more under the same id.";
    NOT_SUPPORTED_YET = 501 "not_supported_yet", "Not supported yet",
        "The operation has a place in the API, but this version does not have it.",
        "Use a later version. `detail` names what is missing.";
    CARRIER_UNAVAILABLE = 503 "carrier_unavailable" retry 5, "The carrier can't be asked now",
        "No session to the carrier is bound, it is busy, or it did not answer in time. What it answers later is recorded all the same.",
        "Repeat the request after `Retry-After`. Operators: see `/v1/connectors`.";
    DRAINING = 503 "draining" retry 5, "The gateway is stopping",
        "The gateway was told to stop and takes nothing new.",
        "Repeat the request after `Retry-After`, or send it to another node.";
    POLICY_UNAVAILABLE = 503 "policy_unavailable" retry 1, "The account's policy does not answer",
        "The account, or one above it, has a `policy` service with `on_failure = \"reject\"`, and that is down, too slow or wrong.",
        "Try again. Operators: see the log, `postrider_policy_questions_total`, and `POST /v1/explain` with `ask`.";
    STORE_UNAVAILABLE = 503 "store_unavailable" retry 5, "The store can't be used",
        "The disk is full, the database is away, or what it holds can't be read. Nothing was accepted.",
        "Repeat the request after `Retry-After`, with an `Idempotency-Key`. Operators: see `/readyz` and the log.";
    OVERLOADED = 503 "overloaded" retry 2, "It took too long",
        "The answer was not ready within the time limit. The request may still take effect.",
        "Repeat it after `Retry-After` with the same `Idempotency-Key`: then it takes effect once.";
}

/// Every reason that a message may carry.
pub static REASONS: &[ReasonEntry] = &[
    reason(
        "carrier_refused",
        "The carrier refused a part for good; `smpp_status` is its `command_status`.",
        "Look the status up in the carrier's documents. The same message would be refused again.",
    ),
    reason(
        "carrier_busy",
        "The carrier refused a part for now; it is tried again.",
        "Nothing, unless it lasts: then ask the carrier about limits, or lower `throughput` or `window`.",
    ),
    reason(
        "retries_used_up",
        "The carrier refused a part for now as often as the connector's `max_attempts` allows.",
        "Send the message again later, or over another connector.",
    ),
    reason(
        "receipt",
        "The carrier's receipt says that the message was not delivered; see `receipt_stat` and `receipt_err`.",
        "Look the error code up in the carrier's documents: an unknown number, a full inbox, a barred sender …",
    ),
    reason(
        "no_receipt",
        "The carrier took the message, and no final receipt came before its validity ran out.",
        "It may have been delivered. Ask the carrier whether it sends receipts on this connector.",
    ),
    reason(
        "expired",
        "The validity ran out before the carrier took the message.",
        "See why the connector was down or slow, or give messages a longer `validity_seconds`.",
    ),
    reason(
        "superseded",
        "A newer message with the same `supersede_key` to the same recipient came while this one waited.",
        "Nothing: that is what the key is for. `detail` names the newer message.",
    ),
    reason(
        "quiet_hours",
        "The message came in quiet hours of the account, or one above it, or was to be sent in them: it waits.",
        "Nothing: it goes when they have ended, which `detail` says. Codes may be exempt by `exempt_priority` or `ignore_quiet_hours`.",
    ),
    reason(
        "paced",
        "The account, one above it, or the connector has a `pace`, and the message came sooner after another one of its sender, or to its recipient, than that allows: it waits for its turn.",
        "Nothing: it goes when `detail` says. A message of a higher `priority` goes before all of lower ones.",
    ),
    reason(
        "in_doubt",
        "The link to the carrier was lost before it answered: the part may have been taken or not.",
        "The connector's `in_doubt` decides what happens: `retry`, `hold` or `fail`.",
    ),
    reason(
        "no_route",
        "The message's connector is gone, and no route takes it.",
        "Add a route or bring the connector back, then send the message again.",
    ),
    reason(
        "dropped",
        "The route that takes the message has `action = \"drop\"`: it is accepted, and nothing is sent.",
        "Nothing, if that is meant; otherwise change the route, which `detail` names.",
    ),
    reason(
        "unsendable",
        "The message can't be written in the connector's protocol; `detail` says what stands in the way.",
        "Change what `detail` names, in the message or in the connector's settings, and send it again.",
    ),
];

const fn reason(code: &'static str, cause: &'static str, cure: &'static str) -> ReasonEntry {
    ReasonEntry { code, cause, cure }
}

/// The entry of this code.
#[must_use]
pub fn find(code: &str) -> Option<&'static Entry> {
    ALL.iter().copied().find(|entry| entry.code == code)
}

/// The whole catalogue as the page `docs/errors.md`.
#[must_use]
pub fn markdown() -> String {
    let mut page = String::from(
        "# Errors\n\n\
         <!-- Written from the catalogue in crates/ingress/src/http/problem/catalogue.rs; a test holds both equal.\n\
         To write it anew: POSTRIDER_WRITE_DOCS=1 cargo test -p ingress catalogue -->\n\n\
         Every answer of the HTTP API that is not a success is `application/problem+json` (RFC 9457) with a `code`\n\
         of this page. Codes don't change; titles and details may. `retryable` says whether the same request may do\n\
         better later, and `Retry-After` when.\n\n\
         ## Answers\n",
    );
    for entry in ALL {
        let again = if entry.retry_after.is_some() { " The same request may do better later." } else { "" };
        // Writing to a String does not fail.
        let _ = write!(
            page,
            "\n### {}\n\n{} · {}.{again}\n\n- **Cause:** {}\n- **Cure:** {}\n",
            entry.code, entry.status, entry.title, entry.cause, entry.cure
        );
    }
    page.push_str("\n## Reasons of messages\n\nThe `reason.code` of a message that waits or has ended otherwise than delivered.\n");
    for entry in REASONS {
        let _ = write!(page, "\n### {}\n\n- **Cause:** {}\n- **Cure:** {}\n", entry.code, entry.cause, entry.cure);
    }
    page
}

/// The catalogue as a page for a browser: what a problem's `type` leads to.
#[must_use]
pub fn html() -> String {
    let mut page = String::from(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Errors</title>\
         <meta name=\"viewport\" content=\"width=device-width\"><style>body{font:16px/1.5 system-ui,sans-serif;\
         max-width:46rem;margin:2rem auto;padding:0 1rem}code{font-size:.95em}:target{background:#fff3bf}</style>\
         <h1>Errors</h1><h2>Answers</h2>",
    );
    for entry in ALL {
        let _ = write!(
            page,
            "<h3 id=\"{code}\"><code>{code}</code></h3><p>{} · {}</p><p>{}</p><p>{}</p>",
            entry.status,
            entry.title,
            prose(entry.cause),
            prose(entry.cure),
            code = entry.code,
        );
    }
    page.push_str("<h2>Reasons of messages</h2>");
    for entry in REASONS {
        let (cause, cure) = (prose(entry.cause), prose(entry.cure));
        let _ = write!(page, "<h3 id=\"reason-{0}\"><code>{0}</code></h3><p>{cause}</p><p>{cure}</p>", entry.code);
    }
    page
}

/// Text with `code` in it as HTML.
fn prose(text: &str) -> String {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let pieces = escaped.split('`').enumerate();
    pieces.map(|(n, piece)| if n % 2 == 1 { format!("<code>{piece}</code>") } else { piece.to_owned() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogue_is_sound_and_its_page_is_the_one_in_docs() {
        let codes: std::collections::BTreeSet<&str> = ALL.iter().map(|entry| entry.code).collect();
        assert_eq!(codes.len(), ALL.len(), "no code stands twice");
        assert!(ALL.windows(2).all(|pair| pair[0].status <= pair[1].status), "ordered by status");
        assert!(ALL.iter().all(|entry| !matches!(entry.status, 429 | 503) || entry.retry_after.is_some()));
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/errors.md");
        if std::env::var_os("POSTRIDER_WRITE_DOCS").is_some() {
            std::fs::write(path, markdown()).unwrap();
        }
        assert_eq!(std::fs::read_to_string(path).unwrap(), markdown(), "docs/errors.md is out of date");
    }

    #[test]
    fn the_page_for_browsers_has_an_anchor_for_each_code() {
        let page = html();
        assert!(ALL.iter().all(|entry| page.contains(&format!("id=\"{}\"", entry.code))));
        assert!(page.contains("<code>Authorization: Bearer …</code>"));
    }
}
