//! Schemas of schedules.

use engine::SCHEDULE_MESSAGES_MAX;
use serde_json::{Map, Value, json};

use super::schemas::time;
use super::{object, reference};

pub(super) fn all() -> Map<String, Value> {
    let mut all = Map::new();
    let fields = fields();
    all.insert("NewSchedule".into(), object(&["messages", "repeat"], fields.clone()));
    all.insert("ScheduleEdit".into(), edit(fields));
    all.insert("Schedule".into(), schedule());
    all
}

/// What is asked of a schedule.
fn fields() -> Value {
    let optional_time =
        |description: &str| json!({ "type": ["string", "null"], "format": "date-time", "description": description });
    json!({
        "name": { "type": ["string", "null"], "maxLength": 128, "description": "For people." },
        "messages": { "type": "array", "minItems": 1, "maxItems": SCHEDULE_MESSAGES_MAX,
            "description": "What is sent each time: one is a message, several are a batch. Their tag `schedule` will be the schedule's id.",
            "items": { "allOf": [reference("Submission"), { "properties": {
                "send_at": { "type": "null" },
                "tags": { "maxProperties": 15, "not": { "required": ["schedule"] } },
            } }] } },
        "repeat": { "type": "string", "maxLength": 512, "pattern": "^ *[^ ]+( +[^ ]+){4} *$", "examples": ["0 9 * * mon-fri"],
            "description": "When: minute, hour, day of the month, month and day of the week, as crontab writes them; `L` is the last day of a month." },
        "time_zone": { "type": ["string", "null"], "examples": ["Europe/London"],
            "description": "The clock that is meant, an IANA time zone; the account's if it is left out." },
        "starts_at": optional_time("Not before this; from now on if it is left out."),
        "ends_at": optional_time("Not after this."),
        "count": { "type": ["integer", "null"], "minimum": 1, "maximum": 1_000_000_000,
            "description": "So many times at the most, those that are refused among them." },
        "if_missed": { "type": "string", "enum": ["skip", "send"], "default": "skip",
            "description": "What came while the gateway was down is left out (`skip`), or made up for once (`send`)." },
    })
}

fn edit(mut fields: Value) -> Value {
    fields["messages"]["type"] = json!(["array", "null"]);
    for field in ["repeat", "time_zone"] {
        fields[field]["type"] = json!(["string", "null"]);
        fields[field]["description"] = json!("Null leaves it as it is.");
    }
    fields["if_missed"] = json!({ "enum": ["skip", "send", null] });
    fields["starts_at"]["description"] =
        json!("Not before this; null is now. What lies in the past by then is left out.");
    let mut edit = object(&[], fields);
    edit["description"] = json!("What is left out stays as it is; null takes a name, an end or a count away.");
    edit
}

fn schedule() -> Value {
    let text = |description: &str| json!({ "type": "string", "description": description });
    let open = |description: &str| json!({ "type": ["string", "null"], "description": description });
    let time_or_null =
        |description: &str| json!({ "type": ["string", "null"], "format": "date-time", "description": description });
    object(
        &[
            "id",
            "account",
            "name",
            "state",
            "repeat",
            "time_zone",
            "starts_at",
            "ends_at",
            "count",
            "if_missed",
            "message_count",
            "created_at",
            "ended_at",
            "next_at",
            "times",
            "refused",
            "skipped",
            "last_at",
            "last_batch",
            "last_message",
            "last_refusal",
        ],
        json!({
            "id": text("The tag `schedule` of its messages."),
            "account": { "type": "string" },
            "name": { "type": ["string", "null"] },
            "state": { "type": "string", "enum": ["active", "paused", "ended"] },
            "repeat": { "type": "string" },
            "time_zone": { "type": "string" },
            "starts_at": time(false), "ends_at": time(true),
            "count": { "type": ["integer", "null"], "minimum": 1 },
            "if_missed": { "type": "string", "enum": ["skip", "send"] },
            "message_count": { "type": "integer", "minimum": 1 },
            "messages": { "type": "array", "items": reference("Submission"), "description": "Only when one schedule is asked for." },
            "created_at": time(false),
            "ended_at": time_or_null("When it ended. It is kept as long as messages are."),
            "next_at": time_or_null("The next occurrence; of a paused schedule, the one that it was to have."),
            "times": { "type": "integer", "minimum": 0, "description": "Occurrences that there were, those that were refused among them." },
            "refused": { "type": "integer", "minimum": 0, "description": "How many of them were refused." },
            "skipped": { "type": "integer", "minimum": 0, "description": "Times that occurrences were missed and left out; all those of one break count once." },
            "last_at": time_or_null("The last occurrence."),
            "last_batch": open("The batch that the last accepted one became, if it has several messages."),
            "last_message": open("The message that the last accepted one became, if it is one."),
            "last_refusal": { "description": "Why the last occurrence was refused, or some of its messages were; null if all were accepted.",
                "anyOf": [object(&["at", "code", "detail"], json!({
                    "at": time(false), "code": text("See /docs/errors."), "detail": { "type": "string" } })), { "type": "null" }] },
        }),
    )
}
