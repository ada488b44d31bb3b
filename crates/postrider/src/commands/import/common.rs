//! What both translators make of secrets and addresses.

use super::draft::Draft;
use super::section::{Section, Setting};

/// A token shorter than this can be guessed.
const TOKEN_MIN: usize = 20;

/// A password as the API token of an account.
pub fn token(section: &mut Section, key: &str, draft: &mut Draft) -> Option<String> {
    let setting = section.take(key).filter(|setting| !setting.value.is_empty())?;
    if !draft.first_use(&setting.value) {
        draft.leave_out(&setting, "is another account's token already, and a token says who calls; give it a new one");
        return None;
    }
    if setting.value.len() < TOKEN_MIN {
        draft.leave_out(&setting, "is the account's API token now, and short enough to be guessed; give it a long one");
    }
    Some(setting.value)
}

/// An address that is called with parameters as the address of a webhook: without the query, for the message is
/// in the body. A path with escapes can't be one.
pub fn hook_url(setting: &Setting, draft: &mut Draft) -> Option<String> {
    let url = setting.value.split(['?', '#']).next().unwrap_or_default();
    let escapes = url.as_bytes().windows(3).any(|w| w[0] == b'%' && !w[1..].iter().all(u8::is_ascii_hexdigit));
    if escapes || url.ends_with('%') || url.get(url.len().saturating_sub(2)..).is_some_and(|end| end.starts_with('%')) {
        draft.leave_out(setting, "has escapes in its path, which webhooks do not fill in; nothing is called");
        return None;
    }
    if !model::url::is_web(url) {
        draft.leave_out(setting, "is no http:// or https:// address; nothing is called");
        return None;
    }
    draft.allow_webhook(url);
    draft.leave_out(
        setting,
        "is a webhook now: a signed POST of JSON without this query, whose answer is not sent back",
    );
    Some(url.to_owned())
}
