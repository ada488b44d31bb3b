//! `/v1/batches` from a stream of any length: one message a line, read as it comes and taken in chunks.
//! What ends within the first chunk is a batch like any other, taken in one commit.

use std::net::IpAddr;

use engine::{BATCH_MAX, Idempotency, Refusal, UnderKey, Upload, UploadStopped};
use hyper::StatusCode;
use hyper::body::Incoming;
use hyper::http::request::Parts;
use model::Submission;
use model::resources::Scope;
use model::submission::Fault;
use ring::digest::{self, SHA256};
use tokio::time::timeout;

use super::batches::{replayed, take, told};
use super::json;
use super::lines::{Chunk, Limits, Line, Lines, Most};
use super::problem::{Problem, catalogue};
use super::reply::Reply;
use super::request::Request;
use super::service::{State, admit};

/// Octets of the first chunk, which has as many lines as a batch may have.
const FIRST_OCTETS: usize = 4 * 1024 * 1024;
/// Octets of the others.
const CHUNK_OCTETS: usize = 1024 * 1024;

/// Takes the lines of a request.
pub(super) async fn send(request: &mut Request<'_>) -> Result<Reply, Problem> {
    let limits = &request.state.settings.limits;
    let overloaded = |_| Problem::new(&catalogue::OVERLOADED);
    let _room = timeout(limits.request_timeout, request.state.streams.acquire()).await.map_err(overloaded)?;
    let key = request.idempotency_key()?;
    let under_key = match key {
        Some(key) => request.engine().under_key(request.caller, key).await?,
        None => UnderKey::Nothing,
    };
    let hash = key.filter(|_| !matches!(under_key, UnderKey::Upload(_))).map(|_| request.asked());
    let limits = Limits { line: limits.body_octets, idle: limits.request_timeout };
    let mut lines = Lines::new(request.take_body(), limits, hash);
    let outcome = match under_key {
        UnderKey::Nothing => new(request, &mut lines, key).await,
        UnderKey::Upload(_) => go_on(request, &mut lines, Chunk::default(), key).await,
        UnderKey::Answered { fingerprint, answer } => {
            let most = request.state.settings.limits.batch_octets;
            match lines.hash_up_to(most).await {
                Ok(Some(hash)) if hash == fingerprint => replayed(request, answer),
                Ok(_) => Err(Problem::new(&catalogue::KEY_REUSED)),
                Err(problem) => Err(problem),
            }
        }
    };
    if outcome.is_err() {
        request.give_back(lines.into_rest());
    }
    outcome
}

/// What was not asked before.
async fn new(request: &mut Request<'_>, lines: &mut Lines<Incoming>, key: Option<&str>) -> Result<Reply, Problem> {
    let octets = FIRST_OCTETS.min(request.state.settings.limits.batch_octets);
    // What says how long it is comes to an end by itself.
    let patient = lines.size().is_some_and(|size| size <= octets as u64);
    let first = lines.chunk(Most { lines: BATCH_MAX, octets, patient }).await?;
    let hash = lines.take_hash();
    if !first.ended {
        return go_on(request, lines, first, key).await;
    }
    let state = request.state;
    let whole = async {
        let _room = state.batches.acquire().await;
        let idempotency = key.zip(hash).map(|(key, fingerprint)| Idempotency { key, fingerprint });
        take(request, first.lines.iter().map(read).collect(), &[], idempotency).await
    };
    timeout(state.settings.limits.request_timeout, whole)
        .await
        .unwrap_or_else(|_| Err(Problem::new(&catalogue::OVERLOADED)))
}

/// What is longer, or was begun before.
async fn go_on(
    request: &mut Request<'_>,
    lines: &mut Lines<Incoming>,
    first: Chunk,
    key: Option<&str>,
) -> Result<Reply, Problem> {
    let upload = request.engine().begin_upload(request.caller, key).await?;
    request.subject.batch = Some(upload.batch().id);
    let mut stream = Stream::new((request.state, request.parts, request.remote), upload, key.is_some());
    let outcome = stream.take_all(lines, first).await;
    // Whatever stands against going on, what is on its way counts.
    let settled = stream.upload.settle().await;
    match outcome.and(settled.map_err(Problem::from)) {
        Ok(()) => Ok(stream.answer()),
        Err(problem) => Err(stream.told_in(problem)),
    }
}

/// Lines on their way into a batch.
struct Stream<'a> {
    /// Who sends them: asked again as long as they come.
    from: (&'a State, &'a Parts, IpAddr),
    upload: Upload,
    /// Lines that came.
    count: u64,
    /// Those that were taken before, and what they came to.
    taken_before: (u64, Option<[u8; 32]>),
    /// All was taken before.
    complete: bool,
    /// What the lines come to, if somebody may go on.
    digest: Option<[u8; 32]>,
}

impl<'a> Stream<'a> {
    fn new(from: (&'a State, &'a Parts, IpAddr), upload: Upload, can_go_on: bool) -> Self {
        let (batch, lines) = (upload.batch(), upload.lines());
        let (taken_before, complete) = ((lines, batch.digest), batch.complete);
        Self { from, upload, count: 0, taken_before, complete, digest: can_go_on.then_some([0; 32]) }
    }

    async fn take_all(&mut self, lines: &mut Lines<Incoming>, first: Chunk) -> Result<(), Problem> {
        let mut chunk = first;
        loop {
            let mut waiting = chunk.lines.into_iter();
            loop {
                let some: Vec<Line> = waiting.by_ref().take(self.upload.chunk_lines()).collect();
                let last = chunk.ended && waiting.len() == 0;
                self.take(&some, last).await?;
                if waiting.len() == 0 {
                    break;
                }
            }
            if chunk.ended {
                return Ok(());
            }
            let most = Most { lines: self.upload.chunk_lines(), octets: CHUNK_OCTETS, patient: false };
            chunk = tokio::select! {
                stopped = self.upload.stopped() => return Err(stopped.into()),
                chunk = lines.chunk(most) => chunk?,
            };
        }
    }

    async fn take(&mut self, lines: &[Line], last: bool) -> Result<(), Problem> {
        let new = self.new_of(lines)?;
        let is_same = if last { self.count >= self.taken_before.0 } else { true };
        match self.complete {
            _ if !is_same => Err(Problem::new(&catalogue::KEY_REUSED)),
            true if new.is_empty() => Ok(()),
            true => Err(Problem::new(&catalogue::KEY_REUSED)),
            false if new.is_empty() && !last => Ok(()),
            false => {
                let (state, parts, remote) = self.from;
                self.upload.renew(admit(state, parts, remote, Scope::Messages)?)?;
                Ok(self.upload.add(new, self.digest, last).await?)
            }
        }
    }

    /// Those of some lines that were not taken before, read. What was taken before has to be the same.
    fn new_of(&mut self, lines: &[Line]) -> Result<Vec<Result<Submission, Fault>>, Problem> {
        let mut new = Vec::with_capacity(lines.len());
        let (before, wanted) = self.taken_before;
        for line in lines {
            self.count += 1;
            self.digest = self.digest.map(|so_far| and(so_far, line));
            if self.count > before {
                new.push(read(line));
            } else if self.count == before && self.digest != wanted {
                return Err(Problem::new(&catalogue::KEY_REUSED));
            }
        }
        Ok(new)
    }

    fn answer(&self) -> Reply {
        let batch = self.upload.batch();
        let reply = Reply::json_text(StatusCode::ACCEPTED, told(batch, &[], self.rejected()));
        let reply = reply.at(format!("/v1/batches/{}", batch.id));
        if self.complete { reply.replayed() } else { reply }
    }

    /// A problem, with what was taken before it.
    fn told_in(&self, problem: Problem) -> Problem {
        match self.upload.lines() {
            0 => problem,
            _ => problem.of_batch(told(self.upload.batch(), &[], self.rejected())),
        }
    }

    fn rejected(&self) -> impl Iterator<Item = (u64, &Refusal)> {
        self.upload.rejected().iter().map(|(index, refusal)| (*index, refusal))
    }
}

fn read(line: &Line) -> Result<Submission, Fault> {
    match line {
        Line::Whole(line) => json::parse_item(line),
        Line::TooLong => Err(Fault::new("", "the line is longer than a message may be")),
    }
}

/// What lines come to with one more.
fn and(so_far: [u8; 32], line: &Line) -> [u8; 32] {
    let mut context = digest::Context::new(&SHA256);
    context.update(&so_far);
    match line {
        Line::Whole(line) => context.update(line),
        // No other line is empty.
        Line::TooLong => {}
    }
    let mut digest = [0; 32];
    digest.copy_from_slice(context.finish().as_ref());
    digest
}

impl From<UploadStopped> for Problem {
    fn from(stopped: UploadStopped) -> Self {
        match stopped {
            UploadStopped::Refused(refusal) => refusal.into(),
            UploadStopped::Canceled => Problem::new(&catalogue::BATCH_CANCELED),
        }
    }
}
