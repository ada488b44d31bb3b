//! Schemas of groups and their members.

use model::GROUP_MEMBERS_MAX;
use serde_json::{Map, Value, json};

use super::object;
use super::resource_schemas::open_text;
use super::schemas::{NAME, count, recipient, time};

/// A number in a path.
pub(super) const NUMBER: &str = "^\\+?[1-9][0-9]{2,14}$";
/// Where the members of a page end.
pub(super) const MEMBER_CURSOR: &str = "^[1-9][0-9]{2,14}$";

pub(super) fn all() -> Map<String, Value> {
    let mut all = Map::new();
    let mut add = |name: &str, schema: Value| all.insert(name.to_owned(), schema);
    add(
        "Group",
        object(
            &["name", "account", "members", "created_at"],
            json!({
                "name": { "type": "string" }, "account": { "type": "string" },
                "members": { "type": "integer", "minimum": 0, "maximum": GROUP_MEMBERS_MAX, "description": "How many there are." },
                "created_at": time(false),
            }),
        ),
    );
    add("InboundGroup", inbound());
    add(
        "Member",
        object(
            &["number", "joined_at", "how", "message"],
            json!({
                "number": { "type": "string" }, "joined_at": time(false),
                "how": { "type": "string", "enum": ["api", "sms"] },
                "message": { "type": ["string", "null"], "format": "uuid", "description": "The message with which the phone joined." },
            }),
        ),
    );
    add(
        "NewMembers",
        object(
            &["numbers"],
            json!({ "numbers": { "type": "array", "minItems": 1, "maxItems": GROUP_MEMBERS_MAX, "items": recipient() } }),
        ),
    );
    add(
        "MembersAdded",
        object(
            &["added", "members"],
            json!({
                "added": { "type": "integer", "minimum": 0, "description": "Those that were no members before." },
                "members": count(),
            }),
        ),
    );
    all
}

/// What would be done with a group because of a message.
pub(super) fn explained() -> Value {
    object(
        &["name", "action", "members", "is_member", "recipients", "text", "outcome", "reason"],
        json!({
            "name": { "type": "string" },
            "action": action(),
            "members": { "type": ["integer", "null"], "minimum": 0, "description": "`null` if there is no such group yet." },
            "is_member": { "type": "boolean", "description": "Is the phone one of them?" },
            "recipients": { "type": "integer", "minimum": 0, "description": "To how many others the text would be sent on; some may be refused." },
            "text": open_text("What they would be told, as it is filled in."),
            "outcome": { "type": "string", "enum": ["do", "hold_back"] },
            "reason": open_text("With `hold_back`: why."),
        }),
    )
}

fn action() -> Value {
    json!({ "type": "string", "enum": ["forward", "join", "leave"] })
}

/// What is done with a group.
fn inbound() -> Value {
    let mut group = object(
        &["name", "action"],
        json!({
            "name": { "type": "string", "pattern": NAME, "description": "A group of the account; the first phone that joins makes it." },
            "action": action(),
            "members_only": { "type": ["boolean", "null"],
                "description": "With `forward`: only what members write goes on to the others. True if it is left out." },
        }),
    );
    group["anyOf"] = json!([
        { "properties": { "action": { "const": "forward" } } },
        { "properties": { "members_only": { "type": "null" } } },
    ]);
    group
}
