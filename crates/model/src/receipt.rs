//! Receipts: what a carrier says became of a part, and how the parts make the whole.

use serde::{Deserialize, Serialize};

use crate::message::{Part, PartStatus, Reason, Status};

/// A receipt, whatever protocol it came over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// What became of the part.
    pub state: ReceiptState,
    /// The word it was said with: SMPP `stat:`, or the number of another protocol.
    pub stat: Box<str>,
    /// The error code, as it was written; `000` is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub err: Option<Box<str>>,
}

/// What a receipt says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReceiptState {
    /// Accepted, buffered, on its way: there is more to come.
    Intermediate,
    /// On the phone.
    Delivered,
    /// Validity ran out at the carrier.
    Expired,
    /// The network gave up, or somebody deleted it.
    Undelivered,
    /// The carrier refused it after all.
    Rejected,
    /// The carrier does not know.
    Unknown,
}

impl ReceiptState {
    /// The word for it, in lower case.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            ReceiptState::Intermediate => "intermediate",
            ReceiptState::Delivered => "delivered",
            ReceiptState::Expired => "expired",
            ReceiptState::Undelivered => "undelivered",
            ReceiptState::Rejected => "rejected",
            ReceiptState::Unknown => "unknown",
        }
    }

    /// The part's state after it; `None` for one that is not final.
    #[must_use]
    pub fn part_status(self) -> Option<PartStatus> {
        match self {
            ReceiptState::Intermediate => None,
            ReceiptState::Delivered => Some(PartStatus::Delivered),
            ReceiptState::Expired => Some(PartStatus::Expired),
            ReceiptState::Undelivered => Some(PartStatus::Undelivered),
            ReceiptState::Rejected => Some(PartStatus::Rejected),
            ReceiptState::Unknown => Some(PartStatus::Unknown),
        }
    }
}

impl Receipt {
    /// `DELIVRD err 000`, for the timeline.
    #[must_use]
    pub fn summary(&self) -> String {
        match &self.err {
            Some(err) => format!("{} err {err}", self.stat),
            None => self.stat.to_string(),
        }
    }

    /// Why a message that was not delivered ended.
    #[must_use]
    pub fn reason(&self) -> Reason {
        let mut reason = Reason::new("receipt", format!("the carrier's receipt says {}", self.summary()), true);
        reason.receipt_stat = Some(self.stat.clone());
        reason.receipt_err = self.err.clone();
        reason
    }
}

/// How the receipts of a message's parts make the message's state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReceiptPolicy {
    /// Delivered when every part is; otherwise, once all are final, the worst of them.
    #[default]
    All,
    /// The last part's state.
    Last,
    /// The first part's state.
    First,
    /// Delivered as soon as one part is; otherwise, once all are final, the worst of them.
    Any,
}

impl ReceiptPolicy {
    /// The message's final state, if its parts make one by now.
    #[must_use]
    pub fn state_of(self, parts: &[Part]) -> Option<Status> {
        let state = |p: &Part| Some(p.status.as_status()).filter(|s| s.is_final());
        match self {
            ReceiptPolicy::First => parts.first().and_then(state),
            ReceiptPolicy::Last => parts.last().and_then(state),
            ReceiptPolicy::Any if parts.iter().any(|p| p.status == PartStatus::Delivered) => Some(Status::Delivered),
            ReceiptPolicy::All | ReceiptPolicy::Any => worst(parts),
        }
    }
}

/// The worst of the parts' states once all are final. What is certainly lost is worse than what
/// nobody knows.
fn worst(parts: &[Part]) -> Option<Status> {
    const WORST_FIRST: [PartStatus; 7] = [
        PartStatus::Rejected,
        PartStatus::Undelivered,
        PartStatus::Expired,
        PartStatus::Failed,
        PartStatus::Canceled,
        PartStatus::Unknown,
        PartStatus::Delivered,
    ];
    if parts.iter().any(|p| !p.status.as_status().is_final()) {
        return None;
    }
    WORST_FIRST.into_iter().find(|s| parts.iter().any(|p| p.status == *s)).map(PartStatus::as_status)
}
