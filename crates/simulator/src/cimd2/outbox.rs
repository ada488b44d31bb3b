//! What a CIMD2 SMSC sends by itself: status reports and messages from phones.

use std::time::Duration;

use cimd2::{Deliver, Octets, Session, StatusCode, StatusReport, StatusReports, SubmitError, write_text};

use super::smsc::Outcome;
use crate::core::{Ledger, Name, Outbox};
use crate::counters::Counters;

/// Something for a client.
#[derive(Clone, Debug)]
pub enum What {
    /// A status report (23).
    Report {
        /// Which message it is about.
        name: Name,
        /// Who sent that.
        from: Box<[u8]>,
        outcome: Outcome,
    },
    /// A message from a phone (20).
    Mo(Box<MoPart>),
}

/// One operation 20.
#[derive(Clone, Debug)]
pub struct MoPart {
    pub(super) from: Box<str>,
    pub(super) to: Box<str>,
    pub(super) dcs: u8,
    pub(super) header: Vec<u8>,
    /// Septets of the default alphabet, or UTF-16 for data coding 8.
    pub(super) data: Vec<u8>,
}

/// Sends what is due, as far as the window allows, and at most `most`; how many were sent. `clock` is the
/// time now.
pub(super) fn send(
    outbox: &mut Outbox<What>,
    session: &mut Session,
    ledger: &mut Ledger<Outcome>,
    clock: &[u8],
    (now, most): (Duration, usize),
    counters: &mut Counters,
) -> usize {
    let mut count = 0;
    while count < most && session.window_room() > 0 && !session.output_is_full() {
        let Some((token, mut delivery)) = outbox.pop(now) else { break };
        let sent = match &mut delivery.what {
            What::Report { name, from, outcome } => {
                counters.receipts_sent += 1;
                if outcome.0.is_final() {
                    *outcome = ledger.ended(name, *outcome);
                }
                let (status, error) = *outcome;
                let report = StatusReport {
                    destination: &name.0,
                    originator: from,
                    timestamp: &name.1,
                    status: Some(status),
                    status_error: (error.0 > 0).then_some(error),
                    discharge_time: clock,
                    ..StatusReport::default()
                };
                session.request(&report, token, now)
            }
            What::Mo(part) => {
                counters.mo_sent += 1;
                deliver(part, session, clock, token, now)
            }
        };
        count += 1;
        match sent {
            Ok(_) => outbox.sent(token, delivery),
            Err(error) => {
                tracing::warn!(%error, "the simulator can't send what it should");
                counters.deliveries_refused += 1;
            }
        }
    }
    count
}

/// Whether a client that asked for these reports is told of this status.
pub(super) fn is_wanted(status: StatusCode, wanted: StatusReports) -> bool {
    wanted.contains(match status {
        StatusCode::EXPIRED => StatusReports::EXPIRED,
        StatusCode::DELIVERED => StatusReports::DELIVERED,
        StatusCode::CANCELLED | StatusCode::DELETED_BY_CANCEL => StatusReports::CANCELLED,
        StatusCode::DELETED => StatusReports::DELETED,
        StatusCode::IN_PROCESS | StatusCode::NO_RESPONSE => StatusReports::TEMPORARY_ERROR,
        _ => StatusReports::FAILED,
    })
}

fn deliver(part: &MoPart, session: &mut Session, clock: &[u8], token: u64, now: Duration) -> Result<u8, SubmitError> {
    let mut text = Vec::new();
    let is_text = part.dcs == 0;
    if is_text {
        write_text(&part.data, &mut text);
    }
    let message = Deliver {
        destination: part.to.as_bytes(),
        originator: part.from.as_bytes(),
        dcs: (!is_text).then_some(part.dcs),
        header: Octets::new(&part.header),
        text: is_text.then_some(&text),
        binary: Octets::new(if is_text { b"" } else { &part.data }),
        timestamp: clock,
        ..Deliver::default()
    };
    session.request(&message, token, now)
}
