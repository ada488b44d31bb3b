//! What a result of a submission means for its part. Pure.

use model::resources::StatusClass;
use ucp::{ErrorClass, ErrorCode};

/// What the protocol says of an error code.
pub(super) fn class(code: ErrorCode) -> StatusClass {
    match code.class() {
        ErrorClass::Permanent => StatusClass::Permanent,
        // Throttled is mostly "slow down", but it may mean just what it says: it counts as an attempt.
        ErrorClass::Throttled | ErrorClass::Temporary | ErrorClass::Config | ErrorClass::Unknown => {
            StatusClass::Temporary
        }
    }
}

/// An error code for people: its number, what the standard calls it, and what the SMSC says.
pub(super) fn detail(code: ErrorCode, sm: &[u8]) -> String {
    let said = String::from_utf8_lossy(sm);
    match said.trim() {
        "" => format!("error {code}"),
        said => format!("error {code}: {said}"),
    }
}

#[cfg(test)]
mod tests {
    use engine::dispatch::Outcome;
    use model::MessageId;
    use model::id::Uuid;

    use super::*;
    use crate::ucp::tests::connector;
    use crate::verdict::Verdicts;

    const MESSAGE: MessageId = MessageId(Uuid::nil());

    fn refused(more: &str, code: u8) -> Outcome {
        let code = ErrorCode(code);
        let detail = detail(code, b"No such address");
        Verdicts::new(&connector(more)).refused(MESSAGE, code.0.into(), class(code), detail)
    }

    #[test]
    fn codes_become_outcomes() {
        let Outcome::Refused(reason) = refused("", 6) else { panic!("not refused") };
        assert_eq!((&*reason.code, reason.permanent), ("carrier_refused", true));
        assert!(reason.detail.starts_with("error 06 ("), "{}", reason.detail);
        assert!(reason.detail.ends_with("): No such address"), "{}", reason.detail);
        for temporary in [4, 37, 50, 54, 55] {
            assert!(matches!(refused("", temporary), Outcome::Retry { .. }), "{temporary}");
        }
        assert!(matches!(refused("", 95), Outcome::Refused(_)));
    }

    #[test]
    fn a_connector_may_see_it_differently() {
        let more = "status_overrides = { \"06\" = \"temporary\", \"4\" = \"throttled\", \"95\" = \"accepted\" }";
        assert!(matches!(refused(more, 6), Outcome::Retry { .. }));
        assert!(matches!(refused(more, 4), Outcome::Throttled(_)));
        assert_eq!(refused(more, 95), Outcome::Sent { remote_id: "".into() });
    }
}
