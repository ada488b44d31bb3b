//! How far a run of load is: one line on standard error that is written over again, if that is a terminal.

use std::io::{IsTerminal as _, Write as _, stderr};
use std::time::{Duration, Instant};

/// Between two looks.
const EVERY: Duration = Duration::from_millis(250);

/// How far a run is, in messages.
#[derive(Clone, Copy, Debug)]
pub struct Far {
    /// In all.
    pub messages: u64,
    /// Accepted or refused so far.
    pub settled: u64,
    /// Refused so far.
    pub refused: u64,
    /// Whose receipts came, if any are awaited.
    pub receipts: Option<u64>,
}

/// Waits for `work`, and shows meanwhile how `far` it is.
pub async fn shown<T>(far: impl Fn() -> Far, begin: Instant, work: impl Future<Output = T>) -> T {
    if !stderr().is_terminal() {
        return work.await;
    }
    let mut work = std::pin::pin!(work);
    let mut look = tokio::time::interval(EVERY);
    let done = loop {
        tokio::select! {
            done = &mut work => break done,
            _ = look.tick() => write(&line(far(), begin.elapsed())),
        }
    };
    write("");
    done
}

fn line(Far { messages, settled, refused, receipts }: Far, elapsed: Duration) -> String {
    let percent = settled * 100 / messages.max(1);
    let each_second = settled as f64 / elapsed.as_secs_f64().max(0.001);
    let mut line = format!("{percent:>3}%  {settled} of {messages} sent");
    if refused > 0 {
        line += &format!(", {refused} refused");
    }
    if let Some(receipts) = receipts {
        line += &format!(", {receipts} receipts");
    }
    let left = messages.saturating_sub(settled) as f64 / each_second;
    match settled {
        0 => line,
        _ if settled < messages => line + &format!(", {each_second:.0} a second, {left:.0} s left"),
        _ => line,
    }
}

/// Writes over the line; there is nowhere to say that it can't be done.
fn write(line: &str) {
    let _ = write!(stderr().lock(), "\r\x1b[K{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_says_what_is_known() {
        let after = |settled, refused, receipts| {
            line(Far { messages: 1000, settled, refused, receipts }, Duration::from_secs(2))
        };
        assert_eq!(after(0, 0, None), "  0%  0 of 1000 sent");
        assert_eq!(after(400, 3, Some(20)), " 40%  400 of 1000 sent, 3 refused, 20 receipts, 200 a second, 3 s left");
        assert_eq!(after(1000, 0, Some(999)), "100%  1000 of 1000 sent, 999 receipts");
        let nothing = Far { messages: 0, settled: 0, refused: 0, receipts: None };
        assert_eq!(line(nothing, Duration::ZERO), "  0%  0 of 0 sent");
    }
}
