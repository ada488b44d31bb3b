//! What the engine refuses, as problems.

use engine::dispatch::UssdError;
use engine::{
    AccessDenied, BatchRefused, CancelError, CancelRefused, CarrierError, EditError, Limit, QueryError, Refusal,
    ReplaceError, ScheduleError,
};
use model::resources::SetFault;
use model::submission::Fault;
use store::StoreError;

use super::{Entry, Problem, catalogue};

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
        Refusal::Misrouted { .. } => Problem::new(&catalogue::ROUTE_UNFIT).detail(detail()),
        Refusal::Forbidden(why) => Problem::new(&catalogue::NOT_ALLOWED).detail(*why),
        Refusal::SenderNotAllowed(_) => Problem::new(&catalogue::SENDER_NOT_ALLOWED).fault("/from", detail()),
        Refusal::CountryNotAllowed(_) => Problem::new(&catalogue::COUNTRY_NOT_ALLOWED).fault("/to", detail()),
        Refusal::OptedOut(_) => Problem::new(&catalogue::OPTED_OUT).fault("/to", detail()),
        Refusal::QuietHours { .. } => Problem::new(&catalogue::QUIET_HOURS).detail(detail()),
        Refusal::PolicyRejects(_) => Problem::new(&catalogue::POLICY_REJECTS).detail(detail()),
        Refusal::PolicyAway(_) => Problem::new(&catalogue::POLICY_UNAVAILABLE).detail(detail()),
        Refusal::NoPrice(..) => Problem::new(&catalogue::NO_PRICE).fault("/to", detail()),
        Refusal::BalanceTooLow(_) => Problem::new(&catalogue::BALANCE_TOO_LOW).detail(detail()),
        Refusal::Limited { limit, retry_after_seconds, .. } => {
            let entry = match limit {
                Limit::Throughput => &catalogue::THROUGHPUT_EXCEEDED,
                Limit::Queue => &catalogue::QUEUE_FULL,
                Limit::DailyQuota | Limit::MonthlyQuota => &catalogue::QUOTA_EXCEEDED,
            };
            Problem::new(entry).detail(detail()).retry_after(*retry_after_seconds)
        }
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
            AccessDenied::Network => &catalogue::TOKEN_NETWORK,
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
            CancelError::Carrier(error) => of_carrier(&error, &catalogue::CANCEL_REFUSED),
            CancelError::Store(error) => error.into(),
        }
    }
}

impl From<ReplaceError> for Problem {
    fn from(error: ReplaceError) -> Self {
        match error {
            ReplaceError::NoSuchMessage => Problem::new(&catalogue::NOT_FOUND).detail(error.to_string()),
            ReplaceError::TooLate => Problem::new(&catalogue::TOO_LATE_TO_REPLACE),
            ReplaceError::InParts(_) => Problem::new(&catalogue::TOO_LATE_TO_REPLACE).detail(error.to_string()),
            ReplaceError::Carrier(error) => of_carrier(&error, &catalogue::REPLACE_REFUSED),
            ReplaceError::Refused(refusal) => refusal.into(),
        }
    }
}

impl From<BatchRefused> for Problem {
    fn from(refused: BatchRefused) -> Self {
        match refused {
            BatchRefused::NoSuchBatch => Problem::new(&catalogue::NOT_FOUND).detail("there is no such batch"),
            BatchRefused::Canceled => Problem::new(&catalogue::BATCH_CANCELED),
            BatchRefused::Store(error) => error.into(),
        }
    }
}

impl From<ScheduleError> for Problem {
    fn from(error: ScheduleError) -> Self {
        match error {
            ScheduleError::NoSuchSchedule => Problem::new(&catalogue::NOT_FOUND).detail(error.to_string()),
            ScheduleError::TooMany => Problem::new(&catalogue::TOO_MANY_SCHEDULES),
            ScheduleError::Ended => Problem::new(&catalogue::SCHEDULE_ENDED),
            ScheduleError::Message(place, refusal) => {
                let Problem { entry, errors, .. } = of_refusal(&refusal);
                let field = errors.first().map_or("", |fault| fault.pointer.as_str());
                Problem::new(entry).fault(format!("/messages/{place}{field}"), refusal.told())
            }
            ScheduleError::Refused(refusal) => refusal.into(),
            ScheduleError::Store(error) => error.into(),
        }
    }
}

impl From<QueryError> for Problem {
    fn from(error: QueryError) -> Self {
        match error {
            QueryError::NoSuchMessage => Problem::new(&catalogue::NOT_FOUND).detail(error.to_string()),
            QueryError::Carrier(error) => of_carrier(&error, &catalogue::QUERY_REFUSED),
            QueryError::Store(error) => error.into(),
        }
    }
}

impl From<UssdError> for Problem {
    fn from(error: UssdError) -> Self {
        match &error {
            UssdError::BadCode => Problem::new(&catalogue::INVALID).fault("/code", error.to_string()),
            UssdError::NotAModem(_) => Problem::new(&catalogue::CARRIER_NOT_ASKED).detail(error.to_string()),
            UssdError::NoModem(_) | UssdError::Busy(_) | UssdError::Failed(_) | UssdError::NoAnswer(_) => {
                Problem::new(&catalogue::CARRIER_UNAVAILABLE).detail(error.to_string())
            }
        }
    }
}

/// What a carrier did not do; `refused` is for one that would not.
fn of_carrier(error: &CarrierError, refused: &'static Entry) -> Problem {
    let entry = match error {
        CarrierError::NotAsked(_) | CarrierError::NoOperation(..) => &catalogue::CARRIER_NOT_ASKED,
        CarrierError::Refused { reason, .. } if reason.permanent => refused,
        CarrierError::Partly { .. } => &catalogue::PARTLY_CANCELED,
        CarrierError::NoSession(_) | CarrierError::Busy | CarrierError::NoAnswer(_) | CarrierError::Refused { .. } => {
            &catalogue::CARRIER_UNAVAILABLE
        }
    };
    Problem::new(entry).detail(error.to_string())
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

#[cfg(test)]
mod tests {
    use model::{Address, Reason};

    use super::*;

    #[test]
    fn a_refusal_has_the_code_of_its_problem() {
        let limited = |limit| Refusal::Limited { limit, account: "a".into(), retry_after_seconds: 1 };
        let to = || Address::from_carrier("+447700900123", true);
        let until = model::Timestamp::default();
        for refusal in [
            Refusal::Invalid(vec![Fault::new("/to", "is missing")]),
            Refusal::NoRoute,
            Refusal::Rejected { route: "r".into(), reason: None },
            Refusal::Misrouted { route: "r".into(), field: "to", why: "x".into() },
            Refusal::Forbidden("no"),
            Refusal::SenderNotAllowed(to()),
            Refusal::CountryNotAllowed(None),
            Refusal::OptedOut(to()),
            Refusal::QuietHours { account: "a".into(), until, expires: false },
            Refusal::PolicyRejects(None),
            Refusal::PolicyAway("a".into()),
            Refusal::NoPrice(to(), "EUR".parse().unwrap()),
            Refusal::BalanceTooLow("a".into()),
            limited(Limit::Throughput),
            limited(Limit::Queue),
            limited(Limit::DailyQuota),
            limited(Limit::MonthlyQuota),
            Refusal::KeyInUse,
            Refusal::KeyReused,
            Refusal::Draining,
            Refusal::StoreAway("away".into()),
        ] {
            assert_eq!(of_refusal(&refusal).entry.code, refusal.code(), "{refusal}");
        }
    }

    #[test]
    fn a_carrier_that_would_not_is_told_from_one_that_could_not() {
        let refused = |permanent| CarrierError::Refused {
            part: 1,
            reason: Reason { smpp_status: Some(0x11), ..Reason::new("carrier_refused", "0x00000011", permanent) }
                .into(),
        };
        let partly = CarrierError::Partly { canceled: 1, of: 2, why: "it refused part 2".into() };
        let not_asked = CarrierError::NotAsked("a".into());
        let cancel = |error| Problem::from(CancelError::Carrier(error)).entry.code;
        let query = |error| Problem::from(QueryError::Carrier(error)).entry.code;
        let replace = |error| Problem::from(ReplaceError::Carrier(error)).entry.code;
        let no_operation = CarrierError::NoOperation("a".into(), model::resources::Protocol::Cimd2);
        assert_eq!([cancel(refused(true)), query(refused(true))], ["cancel_refused", "query_refused"]);
        assert_eq!([replace(refused(true)), replace(no_operation)], ["replace_refused", "carrier_not_asked"]);
        let in_parts = Problem::from(ReplaceError::InParts(2));
        assert_eq!((in_parts.entry.code, in_parts.detail.is_some()), ("too_late_to_replace", true));
        assert_eq!([cancel(refused(false)), query(CarrierError::Busy)], ["carrier_unavailable"; 2]);
        assert_eq!([cancel(partly), query(not_asked)], ["partly_canceled", "carrier_not_asked"]);
        assert!(Problem::from(CancelError::Carrier(refused(true))).detail.unwrap().contains("0x00000011"));
    }
}
