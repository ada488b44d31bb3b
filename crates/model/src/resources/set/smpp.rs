//! What must be true of accounts' SMPP logins.

use std::collections::BTreeSet;

use super::Faults;
use crate::resources::{Account, Kind, Secret, SmppLogin};

/// Characters of a `system_id` (SMPP 3.4 §5.2.1).
const SYSTEM_ID_MAX: usize = 15;
/// Characters of a `system_type` (SMPP 3.4 §5.2.3).
const SYSTEM_TYPE_MAX: usize = 12;
/// Characters of a password. The standard has 8 (SMPP 3.4 §5.2.2), and many clients send more.
const PASSWORD_MAX: usize = 64;
pub(super) const BINDS_MAX: u16 = 1000;
const WINDOW_MAX: u16 = 1000;

impl Faults {
    /// A `system_id` says whose a bind is.
    pub(super) fn smpp_logins(&mut self, accounts: &[Account]) {
        let mut seen = BTreeSet::new();
        for account in accounts {
            let Some(login) = &account.smpp else { continue };
            let mut fault = |field: &str, detail: String| {
                self.add(Kind::Account, &account.id, format!("smpp.{field}"), detail);
            };
            smpp_login(login, &mut fault);
            if !seen.insert(login.system_id.as_str()) {
                fault("system_id", format!("\"{}\" is used twice; each account has its own", login.system_id));
            }
        }
    }
}

fn smpp_login(login: &SmppLogin, fault: &mut dyn FnMut(&str, String)) {
    if login.password.is_some() && login.password_sha256.is_some() {
        fault("password_sha256", "stands for the password: give one of the two".into());
    }
    let printable = is_printable;
    if !(1..=SYSTEM_ID_MAX).contains(&login.system_id.len()) || !printable(&login.system_id) {
        fault("system_id", format!("must be 1 to {SYSTEM_ID_MAX} printable ASCII characters"));
    }
    if let Some(Secret::Plain(password)) = &login.password
        && (!(1..=PASSWORD_MAX).contains(&password.len()) || !printable(password))
    {
        fault("password", format!("must be 1 to {PASSWORD_MAX} printable ASCII characters"));
    }
    if let Some(Secret::Plain(hash)) = &login.password_sha256
        && !is_salted_hash(hash)
    {
        fault("password_sha256", "must be 32 hexadecimal digits, a colon and 64 more".into());
    }
    if login.system_type.as_ref().is_some_and(|t| t.len() > SYSTEM_TYPE_MAX || !printable(t)) {
        fault("system_type", format!("must be at most {SYSTEM_TYPE_MAX} printable ASCII characters"));
    }
    if !(1..=BINDS_MAX).contains(&login.max_binds) {
        fault("max_binds", format!("must be 1 to {BINDS_MAX}"));
    }
    if !(1..=WINDOW_MAX).contains(&login.window) {
        fault("window", format!("must be 1 to {WINDOW_MAX}"));
    }
}

pub(super) fn is_printable(text: &str) -> bool {
    text.bytes().all(|b| (0x20..0x7f).contains(&b))
}

pub(super) fn is_salted_hash(text: &str) -> bool {
    let digits = |text: &str, length| text.len() == length && text.bytes().all(|b| b.is_ascii_hexdigit());
    text.split_once(':').is_some_and(|(salt, hash)| digits(salt, 32) && digits(hash, 64))
}

#[cfg(test)]
mod tests {
    use super::super::tests::faults;

    const GOOD: &str = r#"
        [[account]]
        id = "a"
        smpp = { system_id = "shop", password = "secret", allow = ["10.0.0.0/8"], message_id = "short" }
        [[account]]
        id = "b"
        smpp = { system_id = "other", password = "secret" }
    "#;

    #[test]
    fn logins_that_can_work_have_no_faults() {
        assert_eq!(faults(GOOD), Vec::<String>::new());
    }

    #[test]
    fn what_can_not_work_is_told() {
        for (line, bad, part) in [
            ("\"other\"", "\"shop\"", "account \"b\": smpp.system_id: \"shop\" is used twice"),
            ("\"other\"", "\"sixteen-letters-\"", "smpp.system_id: must be 1 to 15"),
            ("\"other\", password = \"secret\"", "\"other\", password = \"\"", "smpp.password: must be 1 to 64"),
            ("\"other\", password", "\"other\", password_sha256", "smpp.password_sha256: must be 32"),
            ("\"other\",", "\"other\", window = 0,", "smpp.window: must be 1 to 1000"),
            ("\"other\",", "\"other\", max_binds = 1001,", "smpp.max_binds: must be 1 to 1000"),
        ] {
            let told = faults(&GOOD.replace(line, bad)).join("; ");
            assert!(told.contains(part), "{bad}: {told}");
        }
    }
}
