//! `demo`: a gateway, two carriers, an application and its webhook in one process.
//!
//! The carriers differ as real ones do. `swift` is quick and correct. `rustic` writes hexadecimal
//! ids in its answers and decimal ones in its receipts, sends receipts before answers and twice,
//! and throttles. The gateway is told nothing of this.

mod once;
mod sink;
mod traffic;

use std::io::stdout;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use engine::Edit;
use model::Timestamp;
use model::resources::{Scope, Token};
use simulator::{IdForm, IdStyle, ReceiptSettings, Smsc, SmscSettings};
use sms::receipt::ReceiptState;
use tokio::net::TcpListener;

use crate::api::Api;
use crate::boot::Gateway;
use crate::colour::Colour;
use crate::config::Config;
use crate::outcome::{Failure, Outcome, say};
use crate::resources_file::{self, SecretCheck};
use crate::signals::Signals;
use sink::Sink;

/// Where the API is offered if nobody else is there.
const PORT: u16 = 8080;

/// How to show it.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Send a few messages, show what becomes of them, and end
    #[arg(long)]
    once: bool,
    /// Where the HTTP API listens; without, port 8080, or any that is free
    #[arg(long)]
    listen: Option<SocketAddr>,
    /// Keep everything in this directory; without, in one that is taken away at the end
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

/// All that runs.
struct Scene {
    gateway: Gateway,
    swift: Smsc,
    rustic: Smsc,
    sink: Sink,
    token: String,
    url: String,
}

/// Runs until it is told to stop, or with `--once` until its messages have ended.
pub async fn run(args: DemoArgs, colour: Colour) -> Outcome {
    let mut signals = Signals::new()?;
    let temporary = tempfile::Builder::new().prefix("postrider-demo").tempdir()?;
    let data = args.data.clone().unwrap_or_else(|| temporary.path().to_owned());
    let mut scene = Scene::start(&args, data, colour).await?;
    let outcome = if args.once {
        tokio::select! {
            outcome = once::run(&mut scene, colour.on(&stdout())) => outcome,
            () = signals.stop() => Ok(()),
        }
    } else {
        scene.introduce()?;
        tokio::select! {
            outcome = traffic::run(&mut scene, colour.on(&stdout())) => outcome,
            () = signals.stop() => Ok(()),
        }
    };
    signals.while_stopping(scene.stop()).await;
    outcome
}

impl Scene {
    async fn start(args: &DemoArgs, data: PathBuf, colour: Colour) -> Outcome<Self> {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let swift = Smsc::start(TcpListener::bind(any).await?, swift());
        let rustic = Smsc::start(TcpListener::bind(any).await?, rustic(args.once));
        let secret = engine::resources::new_webhook_secret()?;
        let sink = Sink::start(TcpListener::bind(any).await?, &secret)?;

        let mut config = Config { data: Some(data), ..Config::default() };
        config.http.listen = vec![listen_address(args).await];
        config.smpp.listen = vec![any];
        config.log.level = "error".into();
        crate::log::start(&config.log, colour);
        let resources = resources(&swift, &rustic, &sink, &secret);
        let set = resources_file::read("the demo's resources", &resources, SecretCheck::default())
            .map_err(Failure::Configuration)?;
        {
            let storage = crate::storage::Storage::open(&config).await?;
            engine::resources::apply(&*storage.store, &storage.vault(), &set).await?;
        }
        let gateway = Gateway::start(&config, None).await?;
        let token = admin_token(&gateway).await?;
        let url = format!("http://{}", gateway.http().first().copied().unwrap_or(any));
        Ok(Self { gateway, swift, rustic, sink, token, url })
    }

    fn api(&self) -> Api {
        Api::new(&self.url, &self.token)
    }

    fn introduce(&self) -> Outcome {
        let Self { url, token, .. } = self;
        say("Postrider is running, with two simulated carriers and a webhook that checks signatures.\n")?;
        say(format_args!("  API      {url}/v1"))?;
        say(format_args!("  to try   {url}/docs"))?;
        say(format_args!("  metrics  {url}/metrics"))?;
        say(format_args!("  token    {token}   (account \"demo\", may do everything)\n"))?;
        say(format_args!(
            "  curl {url}/v1/messages -H 'Authorization: Bearer {token}' \\\n       \
             -H 'Content-Type: application/json' -d '{{\"to\":\"+447700900123\",\"text\":\"Hello from Postrider\"}}'\n"
        ))?;
        say("Recipients in +44 go over the carrier \"swift\", others over \"rustic\". Ctrl-C ends it.\n")
    }

    async fn stop(self) {
        self.gateway.stop().await;
        self.swift.stop().await;
        self.rustic.stop().await;
    }
}

/// Quick and correct.
fn swift() -> SmscSettings {
    SmscSettings {
        name: "swift".into(),
        resp_delay: Duration::from_millis(5),
        resp_jitter: Duration::from_millis(10),
        receipts: ReceiptSettings {
            delay: (Duration::from_millis(100), Duration::from_millis(600)),
            ..ReceiptSettings::default()
        },
        ..SmscSettings::default()
    }
}

/// As carriers of the old kind are; where everything is to arrive, it loses nothing.
fn rustic(reliable: bool) -> SmscSettings {
    let sloppy = SmscSettings::sloppy();
    let mut states =
        vec![(ReceiptState::Delivered, 0.9), (ReceiptState::Undeliverable, 0.08), (ReceiptState::Expired, 0.02)];
    states.truncate(if reliable { 1 } else { 3 });
    SmscSettings {
        name: "rustic".into(),
        throttle: Some(20),
        ids: IdStyle::Hex,
        fail: if reliable { Vec::new() } else { sloppy.fail.clone() },
        receipts: ReceiptSettings { id: IdForm::HexToDec, states, ..sloppy.receipts.clone() },
        ..sloppy
    }
}

fn resources(swift: &Smsc, rustic: &Smsc, sink: &Sink, secret: &str) -> String {
    let carrier = |id: &str, smsc: &Smsc, sessions: u8| {
        format!(
            "[[connector]]\nid = \"{id}\"\nprotocol = \"smpp\"\n\
             address = \"{}\"\nsystem_id = \"demo\"\npassword = \"demo\"\nsessions = {sessions}\n\n",
            smsc.address()
        )
    };
    let account = format!(
        "[[account]]\nid = \"demo\"\ndefault_sender = \"POSTRIDER\"\ndefault_country = \"GB\"\n\
         webhooks = [{{ url = \"http://{}/events\", secret = \"{secret}\" }}]\n\n",
        sink.address()
    );
    let routes = "[[route]]\nid = \"britain\"\nmatch = { to_prefix = [\"44\"] }\nto = \"swift\"\n\n\
                  [[route]]\nid = \"elsewhere\"\nto = \"rustic\"\n\n\
                  [[inbound]]\nid = \"replies\"\naccount = \"demo\"\n";
    [account, carrier("swift", swift, 2), carrier("rustic", rustic, 1), routes.to_owned()].concat()
}

async fn admin_token(gateway: &Gateway) -> Outcome<String> {
    let (token, sha256) = engine::new_token()?;
    let kept = Token {
        id: "demo".into(),
        account: "demo".into(),
        sha256,
        scopes: vec![Scope::Messages, Scope::Admin],
        expires_at: None,
        networks: Vec::new(),
        created_at: Timestamp::default(),
    };
    gateway.engine().edit_resources(vec![Edit::Token(kept)]).await?;
    Ok(token)
}

/// The address that was asked for, the usual one, or one that is free.
async fn listen_address(args: &DemoArgs) -> SocketAddr {
    let free = SocketAddr::from(([127, 0, 0, 1], 0));
    match args.listen {
        Some(address) => address,
        None if args.once => free,
        None => {
            let usual = SocketAddr::from(([127, 0, 0, 1], PORT));
            if TcpListener::bind(usual).await.is_ok() { usual } else { free }
        }
    }
}
