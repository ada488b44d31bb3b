//! News between nodes: `NOTIFY` and `LISTEN`. They are no part of any commit, and may be lost: who hears one
//! looks into the store, and who may have missed some looks too.

use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_postgres::AsyncMessage;

use crate::error::{Failure, said};
use crate::link::{AsyncMessages as _, Link};

/// News that wait for the listener; more than these are one [`News::Missed`].
const WAITING_MAX: usize = 1024;
const PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How often a connection over which nothing comes is tried.
const PROBE: Duration = Duration::from_secs(20);

/// What a listener hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// Somebody said this.
    Said(Box<str>),
    /// Nobody knows what was said before this: the connection is new, or too much came at once.
    Missed,
}

/// Hears what is said on a channel, for as long as it is kept.
#[derive(Debug)]
pub struct Listener {
    news: mpsc::Receiver<News>,
}

impl Listener {
    /// The next news; `None` when the store is gone. The first is [`News::Missed`], as soon as it listens.
    /// Cancel-safe.
    pub async fn next(&mut self) -> Option<News> {
        self.news.recv().await
    }
}

/// Begins to listen, on a connection of its own that comes back by itself.
pub(crate) fn listen(link: Arc<Link>, channel: &str) -> Listener {
    let (sender, news) = mpsc::channel(WAITING_MAX);
    let channel = channel.to_owned();
    tokio::spawn(async move {
        let mut pause = PAUSE;
        while !sender.is_closed() {
            match hear(&link, &channel, &sender, &mut pause).await {
                Ok(()) => return,
                Err(failure) => {
                    let why = match &failure {
                        Failure::Postgres(error) => said(error),
                        Failure::Away(why) | Failure::Corrupt(why) => why.clone(),
                    };
                    tracing::debug!(%channel, why, "news from other nodes don't come now");
                }
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => pause = (pause * 2).min(LONGEST_PAUSE),
                () = sender.closed() => return,
            }
        }
    });
    Listener { news }
}

/// Listens until the listener is gone, or the connection is.
async fn hear(link: &Link, channel: &str, sender: &mpsc::Sender<News>, pause: &mut Duration) -> Result<(), Failure> {
    let (client, mut connection) = link.raw().await?;
    let mut all_sent = false;
    let sql = format!("LISTEN \"{}\"", channel.replace('"', "\"\""));
    let listen = client.batch_execute(&sql);
    tokio::pin!(listen);
    let mut listening = false;
    loop {
        tokio::select! {
            done = &mut listen, if !listening => {
                done?;
                (listening, *pause) = (true, PAUSE);
                all_sent = sender.try_send(News::Missed).is_ok();
            }
            message = poll_fn(|context| connection.poll_message(context)) => match message {
                Some(Ok(AsyncMessage::Notification(notification))) => {
                    if !all_sent {
                        all_sent = sender.try_send(News::Missed).is_ok();
                    }
                    all_sent &= sender.try_send(News::Said(notification.payload().into())).is_ok();
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error.into()),
                None => return Err(Failure::Away("PostgreSQL has closed the connection".into())),
            },
            () = sender.closed() => return Ok(()),
            () = tokio::time::sleep(PROBE), if !listening => {
                return Err(Failure::Away("PostgreSQL does not answer".into()));
            }
        }
    }
}
