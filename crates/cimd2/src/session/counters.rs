//! What a session counts.

/// Totals since the session began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Octets received.
    pub bytes_in: u64,
    /// Octets handed out to be written.
    pub bytes_out: u64,
    /// Packets received.
    pub packets_in: u64,
    /// Packets sent.
    pub packets_out: u64,
    /// Octets received outside packets.
    pub stray: u64,
    /// What began as a packet and was none.
    pub broken: u64,
    /// Packets received with a wrong checksum.
    pub wrong_checksums: u64,
    /// Our requests.
    pub requests: u64,
    /// Answers to them.
    pub responses: u64,
    /// nacks from the peer.
    pub nacks: u64,
    /// Our requests that were sent again, after a nack or without an answer.
    pub repeated: u64,
    /// Requests that were not answered in time.
    pub timeouts: u64,
    /// Answers that belong to no open request: late, doubled or made up. They were dropped.
    pub unknown_responses: u64,
    /// The peer's requests that were handed to the caller.
    pub peer_requests: u64,
    /// The peer's requests that it has repeated. They were answered again, and not handed to the caller.
    pub peer_repeated: u64,
    /// The peer's requests that were answered with error 10, or could not be held during the login.
    pub throttled: u64,
    /// The peer's requests that could not be understood.
    pub malformed: u64,
    /// The peer's requests that nobody knows, or that the state of the session does not allow.
    pub refused: u64,
    /// alives that we sent.
    pub alives: u64,
}
