//! What the engine refuses, as problems.

use engine::{AccessDenied, CancelError, CancelRefused, EditError, Refusal};
use model::resources::SetFault;
use model::submission::Fault;
use store::StoreError;

use super::{Problem, catalogue};

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        of_refusal(&refusal)
    }
}

/// The problem that a refusal is; borrowed, for a batch keeps its refusals.
pub(crate) fn of_refusal(refusal: &Refusal) -> Problem {
    let detail = || refusal.to_string();
    match refusal {
        Refusal::Invalid(faults) => Problem::new(&catalogue::INVALID).detail(count(faults)).faults(faults.clone()),
        Refusal::NoRoute => Problem::new(&catalogue::NO_ROUTE).fault("/to", detail()),
        Refusal::Rejected { .. } => Problem::new(&catalogue::ROUTE_REJECTS).detail(detail()),
        Refusal::Forbidden(why) => Problem::new(&catalogue::NOT_ALLOWED).detail(*why),
        Refusal::KeyInUse => Problem::new(&catalogue::KEY_IN_USE),
        Refusal::KeyReused => Problem::new(&catalogue::KEY_REUSED),
        Refusal::Draining => Problem::new(&catalogue::DRAINING),
        Refusal::StoreAway(_) => store_away(refusal),
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        store_away(&error)
    }
}

impl From<AccessDenied> for Problem {
    fn from(denied: AccessDenied) -> Self {
        Problem::new(match denied {
            AccessDenied::UnknownToken => &catalogue::TOKEN_UNKNOWN,
            AccessDenied::Expired => &catalogue::TOKEN_EXPIRED,
            AccessDenied::AccountDisabled => &catalogue::ACCOUNT_DISABLED,
        })
    }
}

impl From<CancelError> for Problem {
    fn from(error: CancelError) -> Self {
        match error {
            CancelError::Refused(CancelRefused::NoSuchMessage) => {
                Problem::new(&catalogue::NOT_FOUND).detail(CancelRefused::NoSuchMessage.to_string())
            }
            CancelError::Refused(CancelRefused::TooLate) => Problem::new(&catalogue::TOO_LATE),
            CancelError::Store(error) => error.into(),
        }
    }
}

impl From<EditError> for Problem {
    fn from(error: EditError) -> Self {
        match error {
            EditError::Faults(faults) => {
                let faults: Vec<Fault> = faults.iter().map(fault_of).collect();
                Problem::new(&catalogue::INVALID).detail(count(&faults)).faults(faults)
            }
            EditError::ReadOnly(why) => Problem::new(&catalogue::RESOURCES_READ_ONLY).detail(why),
            EditError::NotFound { kind, id } => {
                Problem::new(&catalogue::NOT_FOUND).detail(format!("there is no {} \"{id}\"", kind.as_str()))
            }
            EditError::Conflict => Problem::new(&catalogue::RESOURCES_CHANGED),
            EditError::Store(error) => error.into(),
            EditError::World(error) => store_away(&error),
            EditError::Vault(error) => {
                tracing::error!(%error, "a secret can't be sealed or opened");
                Problem::new(&catalogue::INTERNAL)
            }
        }
    }
}

/// A fault of a resource; its pointer is within that resource, which `detail` names.
pub(crate) fn fault_of(fault: &SetFault) -> Fault {
    Fault::new(
        format!("/{}", fault.field.replace('.', "/")),
        format!("{} {:?}: {}", fault.kind.as_str(), fault.id, fault.detail),
    )
}

fn store_away(error: &dyn std::fmt::Display) -> Problem {
    // What the store says may name files and hosts: it is for the operator's log only.
    tracing::warn!(%error, "a request could not be answered");
    Problem::new(&catalogue::STORE_UNAVAILABLE)
}

fn count(faults: &[Fault]) -> String {
    match faults.len() {
        1 => "1 field is wrong".to_owned(),
        n => format!("{n} fields are wrong"),
    }
}
