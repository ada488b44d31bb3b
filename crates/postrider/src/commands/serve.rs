//! `serve`: the gateway, until it is told to stop.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use model::SessionProtocol;

use crate::boot::Gateway;
use crate::colour::Colour;
use crate::config::{Config, Sources, load};
use crate::log::{self, LogHandle};
use crate::outcome::{Failure, Outcome};
use crate::signals::{Signal, Signals};

/// How long to wait before a node that could not start anew tries again.
const START_AGAIN: Duration = Duration::from_secs(1);

/// What to serve.
#[derive(Debug, Args)]
pub struct ServeArgs {
    #[command(flatten)]
    sources: Sources,
    /// Make this file the only authority over accounts, connectors and routes; SIGHUP reads it again
    #[arg(long, value_name = "FILE")]
    resources: Option<PathBuf>,
}

/// Runs until SIGTERM or SIGINT; a second one ends it at once.
pub async fn run(args: ServeArgs, colour: Colour) -> Outcome {
    let config = load(&args.sources)?;
    let log = log::start(&config.log, colour);
    let mut signals = Signals::new()?;
    let mut gateway = Gateway::start(&config, args.resources.as_deref()).await?;
    if gateway.engine().world().set.accounts.is_empty() {
        tell_first_steps(&log, &config);
    }
    tell_places(&log, &gateway);
    loop {
        let lost = gateway.engine().lost();
        tokio::select! {
            signal = signals.next() => match signal {
                Signal::Stop => break,
                Signal::Reload => reload(&args, &config, &log, &gateway).await,
            },
            () = lost => {
                log.always("starting anew", &[]);
                gateway.abandon().await;
                let Some(again) = start_again(&config, &args, &mut signals).await? else { return Ok(()) };
                gateway = again;
                tell_places(&log, &gateway);
            }
        }
    }
    log.always("stopping", &[]);
    signals.while_stopping(gateway.stop()).await;
    log.always("stopped", &[]);
    Ok(())
}

/// Starts as a new member of the fleet, as soon as the store is there; `None` if it is told to stop before.
async fn start_again(config: &Config, args: &ServeArgs, signals: &mut Signals) -> Outcome<Option<Gateway>> {
    loop {
        let failure = tokio::select! {
            started = Gateway::start(config, args.resources.as_deref()) => match started {
                Ok(gateway) => return Ok(Some(gateway)),
                Err(Failure::Failed(error)) => error,
                Err(failure) => return Err(failure),
            },
            () = signals.stop() => return Ok(None),
        };
        tracing::warn!(error = %format_args!("{failure:#}"), "can't start anew yet");
        tokio::select! {
            () = tokio::time::sleep(START_AGAIN) => {}
            () = signals.stop() => return Ok(None),
        }
    }
}

/// Says where it can be reached.
fn tell_places(log: &LogHandle, gateway: &Gateway) {
    let list = |addresses: &[SocketAddr]| {
        let addresses: Vec<String> = addresses.iter().map(ToString::to_string).collect();
        addresses.join(",")
    };
    let smpp = list(gateway.sessions(SessionProtocol::Smpp));
    let [http, interfaces] = [gateway.http(), gateway.interfaces()].map(list);
    let [ucp, cimd2] = [SessionProtocol::Ucp, SessionProtocol::Cimd2].map(|protocol| list(gateway.sessions(protocol)));
    let mut places = vec![("http", http.as_str()), ("smpp", &smpp)];
    // Few have addresses for those.
    places.extend(
        [("ucp", &*ucp), ("cimd2", &cimd2), ("interfaces", &interfaces)].iter().filter(|(_, at)| !at.is_empty()),
    );
    log.always("listening", &places);
}

async fn reload(args: &ServeArgs, running: &Config, log: &LogHandle, gateway: &Gateway) {
    match load(&args.sources) {
        Ok(config) => {
            log.set_level(&config.log.level);
            let mut same = config.clone();
            same.log.level.clone_from(&running.log.level);
            if same != *running {
                tracing::warn!("the configuration has changed in more than the log's level; that takes a restart");
            }
        }
        Err(Failure::Configuration(faults)) => {
            for fault in faults {
                tracing::error!(%fault, "the configuration can't be used; the old one stays");
            }
        }
        Err(_) => tracing::error!("the configuration can't be read; the old one stays"),
    }
    gateway.reload().await;
}

fn tell_first_steps(log: &LogHandle, config: &Config) {
    let data = match &config.data {
        Some(data) => format!(" --data {}", data.display()),
        None => String::new(),
    };
    log.always(
        "there are no accounts yet: write one into a file, [[account]] id = \"me\", and apply it",
        &[
            ("then", &format!("postrider apply{data} FILE")),
            ("and", &format!("postrider token create{data} --account me")),
        ],
    );
}
