//! What would become of a message from a phone, for people.

use serde_json::Value;

/// The answer of `POST /v1/explain-inbound`, line by line.
pub(super) fn told(answer: &Value) -> Vec<String> {
    let list = |key: &str| answer[key].as_array().map(Vec::as_slice).unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut lines = Vec::new();
    for rule in list("rules") {
        let id = text(&rule["rule"]);
        lines.push(match (rule["against"].as_str(), &rule["wanted"]) {
            (None, _) => format!("+ {id}: takes it"),
            (Some(field), Value::Null) => format!("- {id}: {field}"),
            (Some(field), wanted) => format!("- {id}: {field} is {wanted}"),
        });
    }
    if answer["outcome"] != "take" {
        lines.push("no rule takes it; it is kept for operators".into());
        return lines;
    }
    lines.push(format!("given to the account {}", text(&answer["account"])));
    if let Some(word) = answer["word"].as_str() {
        lines.push(format!("heeded as a word of opting out ({word}); the rule itself sends nothing"));
    }
    for delivery in list("deliveries") {
        lines.push(format!("message.received to {} ({})", text(&delivery["endpoint"]), text(&delivery["style"])));
    }
    if answer["answers"] == true {
        lines.push("what that answers goes back to the phone".into());
    }
    if let Some(group) = answer["group"].as_object() {
        let members = group["members"].as_u64().unwrap_or_default();
        let what = match group["action"].as_str() {
            Some("forward") => format!("forward to {} of the {members} members", group["recipients"]),
            Some(action) => format!("{action} with {members} members"),
            None => String::new(),
        };
        let what = format!("the group {}: {what}", text(&group["name"]));
        lines.push(match (group["reason"].as_str(), &group["text"]) {
            (Some(why), _) => format!("{what}: held back, {why}"),
            (None, Value::Null) => what,
            (None, text) => format!("{what}: {text}"),
        });
    }
    for response in list("responses") {
        let what = format!("{} to {}", text(&response["action"]), text(&response["to"]));
        let problem = &response["problem"];
        lines.push(match response["outcome"].as_str() {
            Some("send") => format!("{what}: {}", response["text"]),
            Some("drop") => format!("{what}: accepted, and nothing is sent"),
            Some("hold_back") => format!("{what}: held back, {}", text(&response["reason"])),
            _ => format!(
                "{what}: refused, {} ({})",
                problem["detail"].as_str().or(problem["title"].as_str()).unwrap_or_default(),
                text(&problem["code"])
            ),
        });
    }
    lines
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_explanation_is_told_in_lines() {
        let answer = json!({
            "outcome": "take",
            "rules": [
                { "rule": "quiz", "matches": false, "against": "match.keyword", "wanted": ["QUIZ"] },
                { "rule": "hours", "matches": true },
            ],
            "account": "shop", "word": null, "answers": true,
            "deliveries": [{ "endpoint": "rule:hours", "style": "kannel" }],
            "group": { "name": "choir", "action": "forward", "members": 3, "is_member": true, "recipients": 2, "text": "x", "outcome": "do", "reason": null },
            "responses": [
                { "action": "reply", "to": "+447700900123", "text": "9 to 5", "outcome": "send" },
                { "action": "forward", "to": "+447700900111", "text": null, "outcome": "hold_back", "reason": "it is no text" },
                { "action": "forward", "to": "+447700900112", "text": "x", "outcome": "refuse", "problem": { "title": "No", "code": "no_route" } },
            ],
        });
        let expected = [
            "- quiz: match.keyword is [\"QUIZ\"]",
            "+ hours: takes it",
            "given to the account shop",
            "message.received to rule:hours (kannel)",
            "what that answers goes back to the phone",
            "the group choir: forward to 2 of the 3 members: \"x\"",
            "reply to +447700900123: \"9 to 5\"",
            "forward to +447700900111: held back, it is no text",
            "forward to +447700900112: refused, No (no_route)",
        ];
        assert_eq!(told(&answer), expected);
        assert_eq!(told(&json!({ "outcome": "none", "rules": [] })), ["no rule takes it; it is kept for operators"]);
    }
}
