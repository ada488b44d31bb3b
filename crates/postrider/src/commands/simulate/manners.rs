//! What SMSCs of UCP and CIMD2 have in common on the command line.

use std::time::Duration;

use clap::Args;
use simulator::{Counters, Fault, Memory, ReceiptsFor};
use tokio::time::MissedTickBehavior;

use super::{MO_WAITING_MAX, Range, Receipts, fault, probability, rate};

/// How an SMSC behaves.
#[derive(Debug, Args)]
pub struct MannersArgs {
    /// How long an answer takes: 20ms, or 20ms..50ms at random
    #[arg(long, value_name = "TIME")]
    resp_delay: Option<Range>,
    /// Parts a second; above, they are refused for now
    #[arg(long, value_name = "N")]
    pub throttle: Option<u32>,
    /// How probable it is that a submission is taken and never answered
    #[arg(long, value_name = "PROBABILITY", value_parser = probability)]
    pub drop: Option<f64>,
    /// Breaks a connection at its N-th submission, as many TIMES as there are connections to strike (1 if
    /// it is left out): close, close-mid-pdu, garbage, huge-length or hang; may be repeated
    #[arg(long, value_name = "KIND@N[xTIMES]", value_parser = fault)]
    pub fault: Vec<Fault>,
    /// For which messages receipts are sent
    #[arg(long, value_enum)]
    receipts: Option<Receipts>,
    /// How long after the answer they are sent: 1s, or 300ms..3s at random
    #[arg(long, value_name = "TIME")]
    receipt_delay: Option<Range>,
    /// How probable it is that a message is not delivered, for its subscriber is absent
    #[arg(long, value_name = "PROBABILITY", value_parser = probability)]
    pub undelivered: Option<f64>,
    /// Messages from phones a second, to whoever is there
    #[arg(long, value_name = "N", value_parser = rate)]
    mo_rate: Option<f64>,
    /// From which phone they are
    #[arg(long, value_name = "NUMBER", default_value = "+447700900123", requires = "mo_rate")]
    pub mo_from: String,
    /// To which number
    #[arg(long, value_name = "NUMBER", default_value = "60777", requires = "mo_rate")]
    pub mo_to: String,
    /// What they say; {n} counts
    #[arg(long, value_name = "TEXT", default_value = "hello {n}", requires = "mo_rate")]
    mo_text: String,
    /// Operations to a client that may be unanswered
    #[arg(long)]
    pub window: Option<usize>,
    /// Where randomness starts
    #[arg(long)]
    pub seed: Option<u64>,
    /// Remember what was seen, so that duplicates are counted; about 20 octets a message
    #[arg(long)]
    count_duplicates: bool,
}

impl MannersArgs {
    /// What is remembered of messages.
    pub fn memory(&self) -> Memory {
        if self.count_duplicates { Memory::Hashes } else { Memory::Off }
    }

    /// How long an answer takes at least, and how much longer at random.
    pub fn resp_delay(&self) -> Option<(Duration, Duration)> {
        self.resp_delay.as_ref().map(|Range(least, most)| (*least, most.saturating_sub(*least)))
    }

    /// For which messages receipts are sent.
    pub fn receipts(&self) -> Option<ReceiptsFor> {
        self.receipts.map(Receipts::wanted)
    }

    /// How long after the answer: at least and at most.
    pub fn receipt_delay(&self) -> Option<(Duration, Duration)> {
        self.receipt_delay.as_ref().map(|Range(least, most)| (*least, *most))
    }

    /// Sends messages from phones, for ever. `inject` gives how many parts one has, 0 if nobody is there.
    pub async fn send_from_phones<E: std::fmt::Display>(
        &self,
        counters: impl Fn() -> Counters,
        inject: impl Fn(&str, u16) -> Result<usize, E>,
    ) {
        let Some(rate) = self.mo_rate else { return std::future::pending().await };
        let mut tick = tokio::time::interval(Duration::from_secs_f64(rate.recip()));
        tick.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let (mut n, mut told) = (0u64, false);
        loop {
            tick.tick().await;
            let counters = counters();
            if n.saturating_sub(counters.mo_acked + counters.deliveries_refused) >= MO_WAITING_MAX {
                continue;
            }
            let text = self.mo_text.replace("{n}", &(n + 1).to_string());
            match inject(&text, n as u16) {
                Ok(0) => {}
                Ok(_) => n += 1,
                Err(error) if !told => {
                    told = true;
                    eprintln!("a message from a phone can't be sent: {error}");
                }
                Err(_) => {}
            }
        }
    }
}
