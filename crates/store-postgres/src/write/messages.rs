//! Messages, their bodies and progress, deadlines, supersede keys, and the queue.

use std::collections::{BTreeMap, BTreeSet};

use model::{Body, Message};
use store::encoding::{ENCODINGS, Extra, RECEIPTS, status_number};
use store::{Changes, NewMessage, QueueEntry, SupersedeKey};

use super::columns::{Bodies, Courses, Places, octets, small};
use crate::Inner;
use crate::error::Failure;
use crate::link::Connection;
use crate::pipeline::Step;
use crate::sql::Sql;
use crate::text::Text;

/// What is to be written to which days.
pub(super) struct Plan {
    /// Days with a table, of those that something is written to.
    days: BTreeSet<i64>,
    today: i64,
}

impl Plan {
    /// Looks which days have tables, and makes those that new messages need.
    pub async fn of(store: &Inner, connection: &Connection, changes: &Changes) -> Result<Self, Failure> {
        let new: BTreeSet<i64> = changes.insert.iter().map(|new| new.message.body.id.made_at().day()).collect();
        let updated = changes.update.iter().map(|message| message.body.id.made_at().day());
        let replaced = changes.bodies.iter().map(|body| body.id.made_at().day());
        let claimed = changes.claims.iter().map(|claim| claim.message.made_at().day());
        let mut days = store.days.with_table(connection, updated.chain(replaced).chain(claimed).collect()).await?;
        for day in &new {
            store.days.make(connection, *day).await?;
        }
        days.extend(new);
        Ok(Self { days, today: store.now().day() })
    }

    /// Writes messages and the queue.
    pub fn put<'c>(&self, steps: &mut Vec<Step<'c>>, changes: &'c Changes) {
        self.insert(steps, &changes.insert);
        for body in changes.bodies.iter().filter(|body| self.days.contains(&body.id.made_at().day())) {
            replace(steps, body);
        }
        self.update(steps, &changes.update);
        let mut gone: Vec<&QueueEntry> = changes.dequeue.iter().collect();
        gone.sort_unstable();
        if !gone.is_empty() {
            steps.push(Step::new(Sql::Dequeue, Places::of(&gone)));
        }
        let mut new: Vec<&QueueEntry> = changes.enqueue.iter().collect();
        new.sort_unstable();
        if !new.is_empty() {
            steps.push(Step::new(Sql::Enqueue, Places::of(&new)));
        }
    }

    fn insert<'c>(&self, steps: &mut Vec<Step<'c>>, insert: &'c [NewMessage]) {
        let mut new: Vec<&NewMessage> = insert.iter().collect();
        new.sort_by_key(|new| new.message.body.id);
        // Of two with one id the first is put.
        new.dedup_by_key(|new| new.message.body.id);
        for of_day in new.chunk_by(|a, b| a.message.body.id.made_at().day() == b.message.body.id.made_at().day()) {
            let Some(first) = of_day.first() else { continue };
            let day = first.message.body.id.made_at().day();
            if day < self.today {
                // Retention may be at it: whoever comes first is waited for.
                steps.push(Step::new(Sql::ShareDay, values![day]));
                steps.push(Step::new(Sql::TextsAgain, values![day]));
            }
            put_latest(steps, day, of_day);
            let (mut bodies, mut courses, mut places) = (Bodies::default(), Courses::default(), Places::default());
            for new in of_day {
                bodies.push(&new.message.body);
                courses.push(&new.message.progress);
                places.push(new.queue.as_ref());
            }
            let mut values = bodies.arrays();
            values.extend(courses.arrays());
            values.extend(places.arrays());
            values.push(Box::new(status_number(model::Status::Sent) as i16));
            steps.push(Step::on_day(Sql::Insert, day, values));
        }
    }

    fn update<'c>(&self, steps: &mut Vec<Step<'c>>, update: &'c [Message]) {
        let mut changed: Vec<&Message> =
            update.iter().filter(|message| self.days.contains(&message.body.id.made_at().day())).collect();
        // Of two with one id the last counts.
        changed.reverse();
        changed.sort_by_key(|message| message.body.id);
        changed.dedup_by_key(|message| message.body.id);
        for of_day in changed.chunk_by(|a, b| a.body.id.made_at().day() == b.body.id.made_at().day()) {
            let Some(first) = of_day.first() else { continue };
            let ids: Vec<_> = of_day.iter().map(|message| message.body.id.0).collect();
            let mut courses = Courses::default();
            of_day.iter().for_each(|message| courses.push(&message.progress));
            let mut values = values![ids];
            values.extend(courses.arrays());
            steps.push(Step::on_day(Sql::Update, first.body.id.made_at().day(), values));
        }
        let mut ended: Vec<&Body> =
            changed.iter().filter(|message| message.progress.status.is_final()).map(|message| &*message.body).collect();
        if ended.is_empty() {
            return;
        }
        ended.sort_unstable_by_key(|body| (body.expires_at, body.id));
        let at: Vec<i64> = ended.iter().map(|body| body.expires_at.as_millis()).collect();
        let ids: Vec<_> = ended.iter().map(|body| body.id.0).collect();
        steps.push(Step::new(Sql::DropDeadlines, values![at, ids]));
        let mut keys: Vec<_> = ended.iter().filter_map(|body| Some((SupersedeKey::of(body)?, body.id.0))).collect();
        if keys.is_empty() {
            return;
        }
        keys.sort_unstable();
        let text = |of: fn(&SupersedeKey) -> &str| -> Vec<_> {
            keys.iter().map(|(key, _)| Text(of(key).to_owned())).collect()
        };
        let (accounts, names, to) = (text(|key| &key.account), text(|key| &key.key), text(|key| &key.to));
        let ids: Vec<_> = keys.iter().map(|(_, id)| *id).collect();
        steps.push(Step::new(Sql::DropLatest, values![accounts, names, to, ids]));
    }
}

/// The keys of new messages that have one and have not ended. Before the messages themselves: what is there
/// already changes nothing.
fn put_latest<'c>(steps: &mut Vec<Step<'c>>, day: i64, of_day: &[&'c NewMessage]) {
    let keyed = |new: &&'c NewMessage| -> Option<(&'c Body, &'c str)> {
        let body: &'c Body = &new.message.body;
        let open = !new.message.progress.status.is_final();
        body.supersede_key.as_deref().filter(|_| open).map(|key| (body, key))
    };
    let keyed: Vec<_> = of_day.iter().filter_map(keyed).collect();
    if keyed.is_empty() {
        return;
    }
    let accounts: Vec<_> = keyed.iter().map(|(body, _)| Text(&*body.account)).collect();
    let keys: Vec<_> = keyed.iter().map(|(_, key)| Text(*key)).collect();
    let to: Vec<_> = keyed.iter().map(|(body, _)| Text(body.to.as_str())).collect();
    let ids: Vec<_> = keyed.iter().map(|(body, _)| body.id.0).collect();
    steps.push(Step::on_day(Sql::PutLatest, day, values![accounts, keys, to, ids]));
}

/// What may be replaced of a body; its deadline moves along.
fn replace<'c>(steps: &mut Vec<Step<'c>>, body: &'c Body) {
    let (day, id) = (body.id.made_at().day(), body.id.0);
    let expires_at = body.expires_at.as_millis();
    steps.push(Step::on_day(Sql::MoveDeadline, day, values![id, expires_at]));
    let values = values![
        id,
        body.content.text().map(Text),
        octets(&body.content),
        small(&ENCODINGS, &body.encoding),
        small(&RECEIPTS, &body.receipt),
        body.send_at.map(|at| at.as_millis()),
        expires_at,
        Extra::of(body).map(Text),
    ];
    steps.push(Step::on_day(Sql::ReplaceBody, day, values));
}

/// Ids by their days.
pub(super) fn by_day<T: Copy>(ids: impl Iterator<Item = (i64, T)>) -> BTreeMap<i64, Vec<T>> {
    let mut days: BTreeMap<i64, Vec<T>> = BTreeMap::new();
    ids.for_each(|(day, id)| days.entry(day).or_default().push(id));
    days
}
