//! The message that a client means by its name.

use engine::{Caller, Engine};
use model::{Address, Dialect, Direction, Message, SessionProtocol, Timestamp};
use store::{MessageFilter, StoreError};

use super::names::{AHEAD_MAX, bare};

/// Messages that are looked at at a time.
const PAGE: usize = 100;
/// Where a clock is put back, an hour has two of each second.
const PUT_BACK: i64 = 3600;

/// A name as a client gives it.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    /// To whom.
    pub to: Box<str>,
    /// The time stamp's digits.
    pub at: Box<str>,
    /// The moment that they say, if they say one.
    pub moment: Option<Timestamp>,
}

/// The message of the account that came by this protocol and has this name; the newest, if the clock was put
/// back meanwhile.
pub(crate) async fn find(
    engine: &Engine,
    caller: &Caller,
    protocol: SessionProtocol,
    named: &Named,
) -> Result<Option<Message>, StoreError> {
    let Some(moment) = named.moment else { return Ok(None) };
    let Ok(to) = Address::recipient(&named.to, caller.account.country) else { return Ok(None) };
    let filter = MessageFilter {
        to: Some(to.as_str().into()),
        direction: Some(Direction::Mt),
        created_after: Some(moment.plus_seconds(-AHEAD_MAX)),
        created_before: Some(moment.plus_seconds(PUT_BACK + 1)),
        ..MessageFilter::default()
    };
    let mut cursor = None;
    loop {
        let (page, more) = engine.search(caller, filter.clone(), cursor, PAGE).await?;
        let is_it = |message: &Message| {
            message.body.ingress == protocol.ingress()
                && message
                    .body
                    .dialect
                    .as_deref()
                    .and_then(Dialect::name)
                    .is_some_and(|terms| terms.at == named.at && is_written_alike(&terms.to, &named.to))
        };
        if let Some(found) = page.into_iter().find(is_it) {
            return Ok(Some(found));
        }
        match more {
            Some(_) => cursor = more,
            None => return Ok(None),
        }
    }
}

/// Names tell recipients apart as they were written.
fn is_written_alike(one: &str, other: &str) -> bool {
    bare(one.as_bytes()) == bare(other.as_bytes())
}
