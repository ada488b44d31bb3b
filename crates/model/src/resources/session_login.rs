//! How an account's applications log in to the gateway's UCP and CIMD2 servers, and what all protocols of
//! sessions have in common.

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::account::is_no;
use super::{Account, IncomingWay, Secret};
use crate::SessionProtocol;

/// What an account logs in with by UCP or CIMD2, and how its sessions are served.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionLogin {
    /// The user that it logs in as: OAdC of UCP's operation 60, parameter 010 of CIMD2's login. No two
    /// accounts share one.
    pub user: String,
    /// The password in plain; replaced by its salted hash before it is stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Secret>,
    /// The salted hash of the password: 32 hexadecimal digits of salt, a colon, 64 of the hash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_sha256: Option<Secret>,
    /// Sessions at a time. Default 4.
    #[serde(default = "four")]
    pub max_sessions: u16,
    /// Operations that may be unanswered in each direction of a session, 1–100. Default 10. A CIMD2 client
    /// is sent one at a time unless its login asks for more.
    #[serde(default = "ten")]
    pub window: u16,
    /// Networks that it may log in from; none is all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow: Vec<IpNet>,
    /// Refuse logins without TLS. Default false.
    #[serde(default, skip_serializing_if = "is_no")]
    pub tls_required: bool,
    /// IANA time zone of the times that go to and fro, which have none of their own. Default the account's
    /// `time_zone`, or UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// Which incoming messages are handed over this way.
    #[serde(default)]
    pub incoming: IncomingWay,
}

/// A login as every protocol of sessions has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoginTerms<'a> {
    /// The name that it logs in as.
    pub user: &'a str,
    /// The salted hash of the password.
    pub password_sha256: Option<&'a Secret>,
    /// Sessions at a time.
    pub max_sessions: u16,
    /// Requests that may be unanswered in each direction of a session.
    pub window: u16,
    /// Networks that it may log in from; none is all.
    pub allow: &'a [IpNet],
    /// The `system_type` that an SMPP bind must have.
    pub system_type: Option<&'a str>,
    /// Refuse logins without TLS.
    pub tls_required: bool,
    /// Which incoming messages are handed over this way.
    pub incoming: IncomingWay,
}

/// The password of a login, and its hash.
pub type LoginSecrets<'a> = (&'a mut Option<Secret>, &'a mut Option<Secret>);

impl Account {
    /// How it logs in by this protocol, if it can.
    #[must_use]
    pub fn login(&self, protocol: SessionProtocol) -> Option<LoginTerms<'_>> {
        let session = match protocol {
            SessionProtocol::Smpp => {
                let login = self.smpp.as_deref()?;
                return Some(LoginTerms {
                    user: &login.system_id,
                    password_sha256: login.password_sha256.as_ref(),
                    max_sessions: login.max_binds,
                    window: login.window,
                    allow: &login.allow,
                    system_type: login.system_type.as_deref(),
                    tls_required: login.tls_required,
                    incoming: login.incoming,
                });
            }
            SessionProtocol::Ucp => self.ucp.as_deref()?,
            SessionProtocol::Cimd2 => self.cimd2.as_deref()?,
        };
        Some(LoginTerms {
            user: &session.user,
            password_sha256: session.password_sha256.as_ref(),
            max_sessions: session.max_sessions,
            window: session.window,
            allow: &session.allow,
            system_type: None,
            tls_required: session.tls_required,
            incoming: session.incoming,
        })
    }

    /// The password and the hash of its login by this protocol.
    pub fn login_secrets(&mut self, protocol: SessionProtocol) -> Option<LoginSecrets<'_>> {
        let session = match protocol {
            SessionProtocol::Smpp => {
                let login = self.smpp.as_deref_mut()?;
                return Some((&mut login.password, &mut login.password_sha256));
            }
            SessionProtocol::Ucp => self.ucp.as_deref_mut()?,
            SessionProtocol::Cimd2 => self.cimd2.as_deref_mut()?,
        };
        Some((&mut session.password, &mut session.password_sha256))
    }
}

fn four() -> u16 {
    4
}

fn ten() -> u16 {
    10
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_protocol_has_its_own_login() {
        let account = r#"{"id":"a","smpp":{"system_id":"shop","max_binds":2},"ucp":{"user":"60777"}}"#;
        let mut account: Account = serde_json::from_str(account).unwrap();
        let terms = |protocol| account.login(protocol).map(|login| (login.user, login.max_sessions, login.window));
        assert_eq!(terms(SessionProtocol::Smpp), Some(("shop", 2, 100)));
        assert_eq!(terms(SessionProtocol::Ucp), Some(("60777", 4, 10)));
        assert_eq!(terms(SessionProtocol::Cimd2), None);
        assert!(account.login_secrets(SessionProtocol::Ucp).is_some());
        assert!(serde_json::from_str::<SessionLogin>(r#"{"user":"a","system_id":"b"}"#).is_err());
    }
}
