//! Kannel: its configuration file to resources.
//!
//! [`groups`] reads the file as Kannel does. Groups become connectors ([`smsc`]), accounts
//! ([`users`]), and inbound rules with the accounts that get their messages ([`services`]); which
//! connector takes what is worked out in [`routing`], for Kannel decides by conditions on each
//! connector and Postrider by an ordered list.

mod groups;
mod routing;
#[cfg(test)]
mod routing_tests;
mod services;
mod smsc;
mod users;
mod values;

use std::path::Path;

use crate::outcome::{Failure, Outcome};

use super::draft::Draft;
use super::section::Section;

use groups::Group;
use routing::{Carrier, Limits, Sender};

/// What groups say about all of their kind.
#[derive(Debug, Default)]
struct Common {
    /// `global-sender`.
    sender: Option<String>,
    /// `sms-resend-retry`, as attempts.
    attempts: Option<u16>,
    /// `ssl-trusted-ca-file`.
    ca: Option<String>,
    /// `allowed-prefix` and `denied-prefix` of smsbox.
    limits: Limits,
    carriers: Vec<Carrier>,
    senders: Vec<Sender>,
    /// The account of the services, if there are any.
    services: Option<String>,
}

/// Reads a configuration file and everything that it includes.
pub fn import(file: &Path) -> Outcome<Draft> {
    let mut draft = Draft::default();
    let groups = groups::read(file, &mut draft)?;
    if groups.is_empty() {
        return Err(Failure::file(file, "holds no group of a Kannel configuration"));
    }
    let mut common = Common::default();
    let (process, others): (Vec<Group>, Vec<Group>) =
        groups.into_iter().partition(|group| matches!(group.name.as_str(), "core" | "smsbox"));
    for group in process {
        process_group(group, &mut draft, &mut common);
    }
    let (links, others): (Vec<Group>, Vec<Group>) = others.into_iter().partition(|group| group.name == "smsc");
    for group in links {
        smsc::connector(group.section, &mut draft, &mut common);
    }
    let mut defaults = Vec::new();
    for group in others {
        match group.name.as_str() {
            "sendsms-user" => users::account(group.section, &mut draft, &mut common),
            // The default service is asked last, wherever it stands.
            "sms-service" if group.section.peek("keyword") == Some("default") => defaults.push(group.section),
            "sms-service" => services::rule(group.section, &mut draft, &mut common),
            name => draft.leave_out_at(&group.section.place, &format!("group {name}"), why_group(name)),
        }
    }
    defaults.into_iter().for_each(|section| services::rule(section, &mut draft, &mut common));
    routing::routes(&mut draft, &common);
    Ok(draft)
}

fn process_group(group: Group, draft: &mut Draft, common: &mut Common) {
    let mut section = group.section;
    if group.name == "smsbox" {
        listen(&mut section, draft);
        common.sender = section.text("global-sender");
        common.limits = users::limits(&mut section, draft);
    } else {
        common.ca = section.text("ssl-trusted-ca-file");
        common.attempts = section
            .parsed("sms-resend-retry", values::integer)
            .map(|retries| u16::try_from(retries.saturating_add(1)).ok().filter(|n| *n > 0).unwrap_or(u16::MAX));
    }
    draft.leave_out_rest(section, why_process);
}

/// The address of the interface for applications.
fn listen(section: &mut Section, draft: &mut Draft) {
    let port = section.parsed("sendsms-port", |text| u16::try_from(values::integer(text)?).ok().filter(|p| *p > 0));
    let interface = section.parsed("sendsms-interface", |text| text.parse::<std::net::IpAddr>().ok());
    if let Some(port) = port {
        let interface = interface.unwrap_or(std::net::Ipv4Addr::UNSPECIFIED.into());
        draft.config.kannel.insert((interface, port).into());
    }
}

fn why_group(name: &str) -> &'static str {
    match name {
        "wapbox" | "wap-url-map" | "wap-user-map" | "wtls" | "ppg" | "wap-push-user" | "test-ppg" => {
            "WAP and push proxies have no counterpart"
        }
        "ota-setting" | "ota-bookmark" => "settings over the air have no counterpart; send them as binary messages",
        "modems" => "what a modem can do is found out from it; see `modem = { init = … }` of a connector",
        "smpp-tlv" => "TLVs are given with a message, in `tlvs`; none need to be declared",
        "smsbox-route" => "there is one process; inbound rules decide who gets what",
        "dlr-db" => "receipts are kept in the store",
        name if name.ends_with("-connection") => "messages and receipts are kept in the store",
        "configuration" => "tools for tests have no counterpart; see `postrider simulate`",
        _ => "is no group that is known here",
    }
}

fn why_process(key: &str) -> &'static str {
    match key {
        "log-file" | "log-level" | "syslog-level" | "syslog-facility" => {
            "logs go to standard error; see [log] in postrider.toml"
        }
        key if key.starts_with("access-log") => "see [log] access in postrider.toml",
        key if key.starts_with("store-") || key.starts_with("dlr-") => {
            "messages and receipts are kept in the store; see [storage] in postrider.toml"
        }
        key if key.starts_with("admin-") || key == "status-password" => {
            "the gateway is controlled through its API, with a token of scope admin"
        }
        key if key.starts_with("box-") || key.starts_with("bearerbox-") || key.starts_with("smsbox-") => {
            "there is one process and no link between boxes"
        }
        key if key.starts_with("http-proxy") => "webhooks are called directly; there is no proxy",
        key if key.starts_with("sendsms-port-ssl") || key.starts_with("ssl-server") => {
            "see [kannel] tls in postrider.toml"
        }
        key if key.starts_with("sms-combine") => "parts of incoming messages are always put together",
        key if key.starts_with("white-list") || key.starts_with("black-list") => "lists of numbers have no counterpart",
        key if key.starts_with("reply-") => {
            "what services say is sent as it is; nothing is sent when they fail or say nothing"
        }
        "unified-prefix" => "numbers are kept as E.164; set default_country of the accounts",
        "sms-resend-freq" => "waits between attempts grow by themselves",
        "sms-resend-retry" => "is no number",
        "sendsms-port" | "sendsms-interface" => {
            "must be a number and an IP address; see [kannel] listen in postrider.toml"
        }
        "http-request-retry" | "http-queue-delay" => "webhooks are tried again for days, by a fixed plan",
        "http-timeout" => "see [webhooks] timeout in postrider.toml",
        "sendsms-chars" => "recipients are numbers; what may be in them is fixed",
        "immediate-sendsms-reply" => "see [kannel] immediate_reply in postrider.toml",
        "sendsms-url" => "the path is always /cgi-bin/sendsms",
        "sendota-url" | "xmlrpc-url" => "is an interface for applications that has no counterpart",
        _ => "has no counterpart",
    }
}
