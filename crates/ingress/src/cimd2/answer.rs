//! What the gateway says in CIMD2: refusals as error codes. Pure.

use cimd2::{ErrorClass, ErrorCode};
use engine::notify::CallResult;
use engine::{BindDenied, Limit, Refusal};

use crate::sessions::Denied;

/// Characters of an error text (901).
const SAID_MAX: usize = 64;

/// The code that tells a client why its message was not accepted. Those that it may send again are temporary in
/// every client: 6 and 10.
pub(super) fn code_of(refusal: &Refusal) -> ErrorCode {
    match refusal {
        Refusal::Invalid(faults) => {
            let pointer = faults.first().map_or("", |fault| fault.pointer.as_str());
            code_of_field(pointer.trim_start_matches('/').split('/').next().unwrap_or_default())
        }
        Refusal::NoRoute | Refusal::CountryNotAllowed(_) | Refusal::OptedOut(_) => ErrorCode::SUBMIT_DESTINATION,
        Refusal::SenderNotAllowed(_) => ErrorCode::SUBMIT_ORIGINATOR,
        Refusal::Limited {
            limit: Limit::Throughput | Limit::Queue | Limit::DailyQuota | Limit::MonthlyQuota, ..
        } => ErrorCode::CONGESTION,
        // 9 may mean "later" to clients, and these are for good.
        Refusal::Rejected { .. }
        | Refusal::PolicyRejects(_)
        | Refusal::Misrouted { .. }
        | Refusal::Forbidden(_)
        | Refusal::QuietHours { .. }
        | Refusal::NoPrice(..)
        | Refusal::BalanceTooLow(_) => ErrorCode::SUBMIT_TARIFF,
        Refusal::Draining | Refusal::StoreAway(_) | Refusal::PolicyAway(_) | Refusal::KeyInUse | Refusal::KeyReused => {
            ErrorCode::SYSTEM_ERROR
        }
    }
}

fn code_of_field(field: &str) -> ErrorCode {
    match field {
        "to" => ErrorCode::SUBMIT_DESTINATION,
        "from" => ErrorCode::SUBMIT_ORIGINATOR,
        "send_at" => ErrorCode::SUBMIT_FIRST_DELIVERY,
        "validity_seconds" => ErrorCode::SUBMIT_VALIDITY,
        "priority" => ErrorCode::SUBMIT_PRIORITY,
        _ => ErrorCode::SUBMIT_USER_DATA,
    }
}

/// A sentence as an error text can carry it: printable ASCII, not too long.
pub(super) fn said(sentence: &str) -> String {
    let fit = |character| if matches!(character, ' '..='~') { character } else { '?' };
    sentence.chars().take(SAID_MAX).map(fit).collect()
}

/// The answer to a login that is not taken. It is the same for a name that is not known and for a wrong password,
/// so that names can't be guessed; the log says which it was.
pub(super) fn code_of_login(denied: Denied) -> ErrorCode {
    match denied {
        Denied::Wrong(BindDenied::UnknownSystemId | BindDenied::WrongPassword) => ErrorCode::LOGIN_INVALID,
        Denied::Wrong(BindDenied::Network | BindDenied::TlsRequired) => ErrorCode::LOGIN_ACCESS_TYPE,
        Denied::TooMany => ErrorCode::LOGIN_TOO_MANY,
        Denied::Wrong(_) | Denied::LockedOut => ErrorCode::LOGIN_REFUSED,
        Denied::Away => ErrorCode::CONGESTION,
    }
}

/// What a client's answer to a delivery comes to. Codes that say "later" are tried again by the schedule of all
/// deliveries; others are the client's last word.
pub(super) fn outcome_of(code: ErrorCode) -> CallResult {
    let detail = code.to_string();
    match code.class() {
        ErrorClass::Ok => CallResult::Taken,
        ErrorClass::Permanent | ErrorClass::Config => CallResult::Refused { detail },
        _ => CallResult::Failed { detail, retry_after: None },
    }
}

/// A word for a code in metrics and logs.
pub(super) fn word(code: ErrorCode) -> &'static str {
    if code.is_ok() { "ok" } else { code.meaning().unwrap_or("other") }
}

#[cfg(test)]
mod tests {
    use model::submission::Fault;

    use super::*;

    #[test]
    fn refusals_have_codes_that_clients_understand() {
        let code = |pointer: &str| code_of(&Refusal::Invalid(vec![Fault::new(pointer, "is wrong")]));
        assert_eq!(code("/to"), ErrorCode::SUBMIT_DESTINATION);
        assert_eq!(code("/binary/udh"), ErrorCode::SUBMIT_USER_DATA);
        assert_eq!(code("/validity_seconds"), ErrorCode::SUBMIT_VALIDITY);
        assert_eq!(code_of(&Refusal::StoreAway("full".into())).class(), ErrorClass::Temporary);
        assert_eq!(code_of(&Refusal::BalanceTooLow("a".into())).class(), ErrorClass::Permanent);
        assert_eq!(code_of_login(Denied::Wrong(BindDenied::WrongPassword)), ErrorCode::LOGIN_INVALID);
        assert_eq!(code_of_login(Denied::TooMany), ErrorCode::LOGIN_TOO_MANY);
    }

    #[test]
    fn answers_to_deliveries_are_final_unless_they_say_later() {
        assert_eq!(outcome_of(ErrorCode::OK), CallResult::Taken);
        for later in [4, 6, 9, 10] {
            assert!(matches!(outcome_of(ErrorCode(later)), CallResult::Failed { .. }), "{later}");
        }
        for never in [1, 2, 300, 555] {
            assert!(matches!(outcome_of(ErrorCode(never)), CallResult::Refused { .. }), "{never}");
        }
    }

    #[test]
    fn what_is_said_fits_a_parameter() {
        assert_eq!(said("a\tb é"), "a?b ?");
        assert_eq!(said(&"x".repeat(500)).len(), SAID_MAX);
    }
}
