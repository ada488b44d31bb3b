//! What the gateway says in UCP: refusals as error codes. Pure.

use engine::notify::CallResult;
use engine::{BindDenied, Refusal};
use ucp::{ErrorClass, ErrorCode};

use crate::sessions::Denied;

/// Characters of what is said to a refusal.
const SAID_MAX: usize = 120;

/// What an operation is answered with; code 0 stands for a positive result.
pub(super) const TAKEN: ErrorCode = ErrorCode(0);

/// The code that tells a client why its message was not accepted. Those that it may send again are temporary in
/// every client: 04 and 55.
pub(super) fn code_of(refusal: &Refusal) -> ErrorCode {
    match refusal {
        Refusal::Invalid(faults) => {
            let pointer = faults.first().map_or("", |fault| fault.pointer.as_str());
            code_of_field(pointer.trim_start_matches('/').split('/').next().unwrap_or_default())
        }
        Refusal::NoRoute => ErrorCode::ADC_INVALID,
        Refusal::Limited { .. } => ErrorCode::NOT_ALLOWED,
        Refusal::CountryNotAllowed(_)
        | Refusal::OptedOut(_)
        | Refusal::SenderNotAllowed(_)
        | Refusal::Rejected { .. }
        | Refusal::PolicyRejects(_)
        | Refusal::Misrouted { .. }
        | Refusal::Forbidden(_)
        | Refusal::QuietHours { .. }
        | Refusal::NoPrice(..)
        | Refusal::BalanceTooLow(_) => ErrorCode::CALL_BARRING,
        Refusal::Draining | Refusal::StoreAway(_) | Refusal::PolicyAway(_) | Refusal::KeyInUse | Refusal::KeyReused => {
            ErrorCode::SYSTEM
        }
    }
}

fn code_of_field(field: &str) -> ErrorCode {
    match field {
        "to" => ErrorCode::ADC_INVALID,
        "text" | "binary" | "max_parts" => ErrorCode::TOO_LONG,
        "send_at" | "validity_seconds" => ErrorCode::TIME_PERIOD_INVALID,
        "priority" => ErrorCode::PRIORITY,
        _ => ErrorCode::SYNTAX,
    }
}

/// A sentence as a system message can carry it: printable ASCII without a slash, not too long.
pub(super) fn said(sentence: &str) -> String {
    let fit = |character| if matches!(character, ' '..='~') && character != '/' { character } else { '?' };
    sentence.chars().take(SAID_MAX).map(fit).collect()
}

/// The answer to a login that is not taken. It is the same for a name that is not known and for a wrong password,
/// so that names can't be guessed; the log says which it was.
pub(super) fn code_of_login(denied: Denied) -> ErrorCode {
    match denied {
        Denied::Wrong(BindDenied::UnknownSystemId | BindDenied::WrongPassword) => ErrorCode::AUTHENTICATION,
        Denied::Wrong(_) | Denied::LockedOut | Denied::TooMany => ErrorCode::NOT_ALLOWED,
        Denied::Away => ErrorCode::SYSTEM,
    }
}

/// What a client's answer to a delivery comes to. Codes that say "later" are tried again by the schedule of all
/// deliveries; others are the client's last word.
pub(super) fn outcome_of(code: ErrorCode) -> CallResult {
    if code == TAKEN {
        return CallResult::Taken;
    }
    let detail = code.to_string();
    match code.class() {
        ErrorClass::Permanent | ErrorClass::Config => CallResult::Refused { detail },
        _ => CallResult::Failed { detail, retry_after: None },
    }
}

/// A word for a code in metrics and logs.
pub(super) fn word(code: ErrorCode) -> &'static str {
    if code == TAKEN { "ok" } else { code.meaning().unwrap_or("other") }
}

#[cfg(test)]
mod tests {
    use model::submission::Fault;

    use super::*;

    #[test]
    fn refusals_have_codes_that_clients_understand() {
        let code = |pointer: &str| code_of(&Refusal::Invalid(vec![Fault::new(pointer, "is wrong")]));
        assert_eq!(code("/to"), ErrorCode::ADC_INVALID);
        assert_eq!(code("/binary/udh"), ErrorCode::TOO_LONG);
        assert_eq!(code("/validity_seconds"), ErrorCode::TIME_PERIOD_INVALID);
        assert_eq!(code_of(&Refusal::StoreAway("full".into())).class(), ErrorClass::Temporary);
        assert_eq!(code_of(&Refusal::BalanceTooLow("a".into())).class(), ErrorClass::Permanent);
        assert_eq!(code_of_login(Denied::Wrong(BindDenied::UnknownSystemId)), ErrorCode::AUTHENTICATION);
        assert_eq!(code_of_login(Denied::TooMany), ErrorCode::NOT_ALLOWED);
    }

    #[test]
    fn answers_to_deliveries_are_final_unless_they_say_later() {
        assert_eq!(outcome_of(TAKEN), CallResult::Taken);
        for later in [1, 4, 54, 55, 70] {
            assert!(matches!(outcome_of(ErrorCode(later)), CallResult::Failed { .. }), "{later}");
        }
        for never in [2, 6, 24, 95] {
            assert!(matches!(outcome_of(ErrorCode(never)), CallResult::Refused { .. }), "{never}");
        }
    }

    #[test]
    fn what_is_said_fits_a_field() {
        assert_eq!(said("a/b é"), "a?b ?");
        assert_eq!(said(&"x".repeat(500)).len(), SAID_MAX);
    }
}
