//! What must be true of accounts' logins by UCP and CIMD2.

use std::collections::BTreeSet;

use jiff::tz::TimeZoneDatabase;

use super::Faults;
use super::smpp::{BINDS_MAX, is_printable, is_salted_hash};
use crate::resources::{Account, Kind, Secret, SessionLogin};

/// Characters of CIMD2's user identity (010). A UCP user may have twice as many.
const CIMD2_USER_MAX: usize = 32;
const UCP_USER_MAX: usize = 64;
/// Characters of a password.
const PASSWORD_MAX: usize = 32;
/// As many transaction numbers as UCP has.
const WINDOW_MAX: u16 = 100;

impl Faults {
    /// A user says whose a session is.
    pub(super) fn session_logins(&mut self, accounts: &[Account]) {
        let by_ucp = |account: &Account| account.ucp.clone();
        let by_cimd2 = |account: &Account| account.cimd2.clone();
        self.logins(accounts, "ucp", UCP_USER_MAX, &by_ucp);
        self.logins(accounts, "cimd2", CIMD2_USER_MAX, &by_cimd2);
    }

    fn logins(
        &mut self,
        accounts: &[Account],
        protocol: &str,
        user_max: usize,
        login: &dyn Fn(&Account) -> Option<Box<SessionLogin>>,
    ) {
        let mut seen = BTreeSet::new();
        for account in accounts {
            let Some(login) = login(account) else { continue };
            let mut fault = |field: &str, detail: String| {
                self.add(Kind::Account, &account.id, format!("{protocol}.{field}"), detail);
            };
            session_login(&login, user_max, &mut fault);
            if seen.contains(&login.user) {
                fault("user", format!("\"{}\" is used twice; each account has its own", login.user));
            }
            seen.insert(login.user);
        }
    }
}

fn session_login(login: &SessionLogin, user_max: usize, fault: &mut dyn FnMut(&str, String)) {
    if login.password.is_some() && login.password_sha256.is_some() {
        fault("password_sha256", "stands for the password: give one of the two".into());
    }
    // A slash ends a field of UCP.
    if !(1..=user_max).contains(&login.user.len()) || !is_printable(&login.user) || login.user.contains('/') {
        fault("user", format!("must be 1 to {user_max} printable ASCII characters without /"));
    }
    if let Some(Secret::Plain(password)) = &login.password
        && (!(1..=PASSWORD_MAX).contains(&password.len()) || !is_printable(password))
    {
        fault("password", format!("must be 1 to {PASSWORD_MAX} printable ASCII characters"));
    }
    if let Some(Secret::Plain(hash)) = &login.password_sha256
        && !is_salted_hash(hash)
    {
        fault("password_sha256", "must be 32 hexadecimal digits, a colon and 64 more".into());
    }
    if !(1..=BINDS_MAX).contains(&login.max_sessions) {
        fault("max_sessions", format!("must be 1 to {BINDS_MAX}"));
    }
    if !(1..=WINDOW_MAX).contains(&login.window) {
        fault("window", format!("must be 1 to {WINDOW_MAX}"));
    }
    if login.time_zone.as_deref().is_some_and(|zone| TimeZoneDatabase::bundled().get(zone).is_err()) {
        fault("time_zone", "is no IANA time zone such as Europe/Berlin".into());
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::faults;

    const GOOD: &str = r#"
        [[account]]
        id = "a"
        ucp = { user = "60777", password = "secret", allow = ["10.0.0.0/8"], time_zone = "Europe/Berlin" }
        cimd2 = { user = "60777", password = "secret" }
        [[account]]
        id = "b"
        ucp = { user = "other", password = "secret" }
    "#;

    #[test]
    fn logins_that_can_work_have_no_faults() {
        assert_eq!(faults(GOOD), Vec::<String>::new());
    }

    #[test]
    fn what_can_not_work_is_told() {
        for (line, bad, part) in [
            ("\"other\"", "\"60777\"", "account \"b\": ucp.user: \"60777\" is used twice"),
            ("\"other\"", "\"a/b\"", "ucp.user: must be 1 to 64"),
            ("\"other\", password = \"secret\"", "\"other\", password = \"\"", "ucp.password: must be 1 to 32"),
            ("\"other\", password", "\"other\", password_sha256", "ucp.password_sha256: must be 32"),
            ("\"other\",", "\"other\", window = 101,", "ucp.window: must be 1 to 100"),
            ("\"other\",", "\"other\", max_sessions = 0,", "ucp.max_sessions: must be 1 to 1000"),
            ("Europe/Berlin", "Europe/Bonn", "ucp.time_zone: is no IANA time zone"),
        ] {
            let told = faults(&GOOD.replace(line, bad)).join("; ");
            assert!(told.contains(part), "{bad}: {told}");
        }
    }
}
