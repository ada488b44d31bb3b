//! What worlds are told in.

use store::{CommitError, Lease};

/// What one millisecond of the store is on a clock that goes right.
pub const MILLI: i64 = 1_000_000;

/// How nodes behave, and what they are up against.
#[derive(Clone, Debug)]
pub struct Rules {
    /// How long a membership is for, in milliseconds of the store's clock.
    pub ttl: i64,
    /// How much earlier than that a node stops by its own clock.
    pub margin: i64,
    /// What each node's own clock shows for a millisecond of the store.
    pub rates: Vec<i64>,
    pub slots: u8,
    /// How often in all something may happen that does not belong to the daily round: a process dies or leaves, a
    /// node releases a slot, or waits no longer for what may arrive still.
    pub mishaps: usize,
    /// The ways to get it wrong.
    pub fault: Option<Fault>,
}

/// A node that is not careful enough, in one way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Counts its time from when the answer came, not from when it asked.
    CountsFromTheAnswer,
    /// Claims a slot again though a release of it may be on its way still.
    ClaimsWhatItMayHaveReleased,
    /// Releases a slot though a commit for it may be on its way still.
    ReleasesWithACommitUnderWay,
    /// Becomes a member again as the same process though its leaving may be on its way still.
    ComesBackAfterLeaving,
    /// Commits without its membership as a condition.
    CommitsWithoutAFence,
    /// Its clock stands still while the machine does.
    ClockStandsStill,
}

/// What a node can ask the store for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    Keep,
    Claim(u8),
    Release(u8),
    Commit(u8),
    Leave,
}

/// One thing that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// So many milliseconds go by.
    Tick(i64),
    Ask(usize, Ask),
    /// This request arrives, and the store does it.
    Arrive(usize),
    /// The answer to what a node waits for arrives.
    Answer(usize),
    /// A node waits no longer. What it asked for may arrive later.
    GiveUp(usize),
    /// This request never arrives.
    Lose(usize),
    Crash(usize),
    Start(usize),
    /// The machine that a node is on stands still, and goes on.
    Suspend(usize),
    Resume(usize),
}

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// Two nodes may act on a slot.
    TwoAct(u8),
    /// A commit of a node was applied after another one had claimed the slot.
    LateCommit(u8),
    /// Nobody takes a slot, though there are nodes.
    NobodyActs(u8),
}

/// What the store answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    Kept(Option<Lease>),
    Claimed(bool),
    Done,
    Fenced,
}

#[derive(Clone, Debug)]
pub struct Request {
    pub node: usize,
    pub holder: u32,
    pub ask: Ask,
    pub membership: Option<Lease>,
    /// When it was asked, by the node's clock.
    pub begun: i64,
    /// Does the node wait for the answer?
    pub waited: bool,
    pub reply: Option<Reply>,
}

/// What a commit is answered with.
pub fn committed(outcome: Result<(), CommitError>) -> Reply {
    match outcome {
        Ok(()) => Reply::Done,
        Err(CommitError::Fenced(_)) => Reply::Fenced,
        Err(other) => panic!("{other}"),
    }
}
