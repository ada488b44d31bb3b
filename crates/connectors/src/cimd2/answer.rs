//! What an error code of a response means. Pure.

use cimd2::{ErrorClass, ErrorCode};
use model::resources::StatusClass;

/// What the protocol says of an error code.
pub(super) fn class(code: ErrorCode) -> StatusClass {
    match code.class() {
        ErrorClass::Ok => StatusClass::Accepted,
        ErrorClass::Permanent => StatusClass::Permanent,
        ErrorClass::Throttled => StatusClass::Throttled,
        ErrorClass::Temporary | ErrorClass::LoginLater | ErrorClass::Config | ErrorClass::Unknown => {
            StatusClass::Temporary
        }
    }
}

/// An error code for people: its number, what it means, and what the SMSC says.
pub(super) fn detail(code: ErrorCode, said: &[u8]) -> String {
    let said = String::from_utf8_lossy(said);
    match said.trim() {
        "" => format!("error {code}"),
        said => format!("error {code}: {said}"),
    }
}
