//! The engine: everything between an ingress and a connector, in the order in which data flows.
//!
//! ```text
//!     ingress ─► accept ─► validate ─► admit ─► route ─► persist ─► the ingress answers
//!                                                           │
//!   phone ◄─ SMSC ◄─ session ◄─ dispatch ◄─ schedule ◄──────┘
//!              │                    │
//!              │ answers            └─► settle ─► persist
//!              └─ receipts, MOs ─► receive ─► match ─► persist ─► notify ─► ingress ─► application
//! ```
//!
//! One task, the recorder in [`persist`], turns everything that happened into commits of the
//! [`store::Store`]; nothing else writes messages. Everybody else keeps what it needs to be quick in
//! bounded memory and can rebuild it from the store: [`schedule`] the part of each connector's queue
//! that is next, [`notify`] the same of deliveries. So a crash at any point loses nothing that was
//! answered with "accepted".
//!
//! Read the files in this order: [`accept`], [`refusal`], [`policy`], [`validate`], [`access`], [`admit`], [`limits`], [`charge`],
//! [`route`], [`health`], [`persist`], [`schedule`], [`dispatch`], [`settle`], [`receive`],
//! [`respond`], [`lately`], [`opt_outs`], [`group_tasks`], [`answers`], [`matching`], [`reassemble`], [`notify`],
//! [`announce`];
//! then [`keep`] (what time brings), [`completion`] (batches that have ended), [`recurring`] (what is sent again and again), [`failover`] and [`abandoned`]
//! (what waits for a connector that takes nothing, or is gone), [`world`] and [`resources`] (what is
//! configured), [`token_use`],
//! [`services`], [`replace`], [`batches`], [`groups`], [`explain`], [`explain_inbound`] and [`money`] (what may be asked), [`inquire`] (what
//! is asked of carriers).

mod abandoned;
mod accept;
mod access;
mod admit;
mod announce;
mod answers;
mod batches;
mod calls;
mod carriers;
mod charge;
mod completion;
pub mod dispatch;
mod duty;
mod engine;
mod explain;
mod explain_inbound;
mod facts;
mod failover;
mod families;
mod fleet;
mod group_tasks;
mod groups;
mod guessing;
pub mod hash;
mod health;
mod incoming;
mod inquire;
mod keep;
mod lately;
mod limits;
mod matching;
mod metrics;
mod modem;
mod money;
pub mod notify;
mod opt_outs;
mod password;
mod persist;
mod policy;
mod reassemble;
mod receive;
mod recurring;
mod refusal;
pub mod render;
mod replace;
pub mod replay;
pub mod resources;
mod respond;
mod rhythm;
mod route;
mod schedule;
mod sent;
mod services;
mod settle;
mod smsc;
pub mod text;
mod token_use;
mod validate;
mod vault;
mod world;

pub use accept::{
    Accepted, Answer, BATCH_MAX, BatchTaken, Idempotency, REJECTED_TOLD_MAX, UnderKey, Upload, UploadStopped,
};
pub use access::{AccessDenied, BindAttempt, BindDenied, Caller, UserDenied};
pub use admit::Limit;
pub use answers::{ANSWER_TEXT_MAX, ServiceAnswer};
pub use batches::{BatchRefused, BatchWish, UploadState};
pub use carriers::{CarrierCall, CarrierCalls, CarrierDenied, CarrierReply};
pub use engine::{ConnectorStatus, Engine, Health, Settings, StartError};
pub use explain::{ConnectorTried, Explanation, PolicyTried, RouteTried};
pub use explain_inbound::{
    GroupExplained, InboundExplanation, InboundQuestion, InboundResponse, InboundTaken, RuleTried,
};
pub use facts::{CancelRefused, ConnectorEvent};
pub use fleet::{FleetView, NodeSettings, NodeView};
pub use groups::GroupError;
pub use inquire::{CarrierError, QueryError};
pub use keep::Retention;
pub use metrics::Metrics;
pub use money::{CREDIT_MAX, QuotaUsed, Usage};
pub use notify::{Outbox, Receiver};
pub use policy::{PolicyAnswer, PolicyAsked, PolicyCall, PolicyCaller, PolicyOutcome, PolicyVerdict};
pub use recurring::{SCHEDULE_MESSAGES_MAX, SCHEDULES_MAX, ScheduleError};
pub use refusal::Refusal;
pub use replace::ReplaceError;
pub use resources::{Edit, EditError, new_token};
pub use schedule::{HealthView, SessionView};
pub use services::CancelError;
pub use validate::{DEFAULT_MAX_PARTS, DEFAULT_VALIDITY_SECONDS, choice_of};
pub use vault::{Vault, VaultError};
pub use world::{AccountView, MQTT_LANE, RULE_LANE, TokenView, UserView, WebhookView, World, WorldError};
