//! What a session counts.

/// Totals since the session began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Octets received.
    pub bytes_in: u64,
    /// Octets handed out to be written.
    pub bytes_out: u64,
    /// Good frames received.
    pub frames_in: u64,
    /// Frames sent.
    pub frames_out: u64,
    /// Our operations, but for the login and alerts of the session's own.
    pub requests: u64,
    /// Results of them.
    pub responses: u64,
    /// Those that were negative.
    pub nacks: u64,
    /// Operations that were not answered in time.
    pub timeouts: u64,
    /// Results that belong to no open operation: late, doubled or made up. They were dropped.
    pub unknown_responses: u64,
    /// The peer's operations that were handed to the caller.
    pub peer_requests: u64,
    /// The peer's operations that were answered with error 04 because too many wait, or could not be held during
    /// the login.
    pub throttled: u64,
    /// The peer's frames that could not be understood.
    pub malformed: u64,
    /// The peer's operations that nobody knows, or that the state of the session does not allow, and those under
    /// a TRN that still waits for a result.
    pub refused: u64,
    /// Octets outside of frames.
    pub junk: u64,
    /// Alerts that we sent.
    pub alerts: u64,
}
