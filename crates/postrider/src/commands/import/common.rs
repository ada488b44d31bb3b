//! What both translators make of users and addresses.

use serde_json::{Value, json};

use super::draft::Draft;
use super::section::{Section, Setting};

/// A user as the login of an account's applications, with the password that they have.
pub fn login(section: &mut Section, username: &str, key: &str, draft: &mut Draft) -> Option<Value> {
    let setting = section.take(key).filter(|setting| !setting.value.is_empty())?;
    if !draft.first_use(username) {
        draft.leave_out(&setting, "is of a user whose name another account has already; give it a new one");
        return None;
    }
    Some(json!({ "username": username, "password": setting.value }))
}

/// An address that is called with the message in its body or in parameters, as it stands.
pub fn called(setting: &Setting, draft: &mut Draft) -> Option<String> {
    let url = setting.value.split('#').next().unwrap_or_default();
    if !model::url::is_web(url) {
        draft.leave_out(setting, "is no http:// or https:// address; nothing is called");
        return None;
    }
    draft.allow_webhook(url);
    Some(url.to_owned())
}

/// An address that is called with what no style of webhook has: it becomes a plain webhook.
pub fn hook_url(setting: &Setting, draft: &mut Draft) -> Option<String> {
    let bare = setting.value.split(['?', '#']).next().unwrap_or_default();
    let escapes = bare.as_bytes().windows(3).any(|w| w[0] == b'%' && !w[1..].iter().all(u8::is_ascii_hexdigit));
    if escapes
        || bare.ends_with('%')
        || bare.get(bare.len().saturating_sub(2)..).is_some_and(|end| end.starts_with('%'))
    {
        draft.leave_out(setting, "has escapes in its path, which these webhooks do not fill in; nothing is called");
        return None;
    }
    let url = called(&Setting { value: bare.to_owned(), ..setting.clone() }, draft)?;
    draft.leave_out(
        setting,
        "is a webhook now: a signed POST of JSON without this query, whose answer is not sent back",
    );
    Some(url)
}
