//! What a session counts.

/// Totals since the session began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Octets received.
    pub bytes_in: u64,
    /// Octets handed out to be written.
    pub bytes_out: u64,
    /// PDUs received.
    pub pdus_in: u64,
    /// PDUs sent.
    pub pdus_out: u64,
    /// Our requests.
    pub requests: u64,
    /// Answers to them.
    pub responses: u64,
    /// generic_nacks to them.
    pub nacks: u64,
    /// Requests that were not answered in time.
    pub timeouts: u64,
    /// Answers that belong to no open request: late, doubled or made up. They were dropped.
    pub unknown_responses: u64,
    /// The peer's requests that were handed to the caller.
    pub peer_requests: u64,
    /// The peer's requests that were answered with ESME_RTHROTTLED, or could not be held during the bind.
    pub throttled: u64,
    /// The peer's requests that could not be understood.
    pub malformed: u64,
    /// The peer's requests that nobody knows, or that the state of the session does not allow.
    pub refused: u64,
    /// PDUs with octets at their end that are no TLVs.
    pub junk: u64,
    /// enquire_links that we sent.
    pub enquires: u64,
}
