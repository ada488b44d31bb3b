//! Batches, schedules, receipts and deliveries.

use model::Delivery;
use store::encoding::{DELIVERY_STATES, STYLES};
use store::{BatchPhase, Changes, DeliveryKey, MoPart, RemoteId, RemoteKey, ScheduleChange};
use uuid::Uuid;

use super::columns::{one_body, small};
use crate::pipeline::Step;
use crate::sql::Sql;
use crate::text::Text;

/// Batches, then their ends, then what is wanted of them.
pub(super) fn put_batches<'c>(steps: &mut Vec<Step<'c>>, changes: &'c Changes) {
    for batch in &changes.batches {
        let values = values![
            batch.id.0,
            Text(&*batch.account),
            batch.accepted.cast_signed(),
            batch.rejected.cast_signed(),
            batch.created_at.as_millis(),
            small(&BatchPhase::ALL, &batch.phase),
            batch.finished_at.map(|at| at.as_millis()),
            batch.complete,
            batch.digest.as_ref().map(<[u8; 32]>::as_slice),
        ];
        steps.push(Step::new(Sql::PutBatch, values));
    }
    for (id, phase) in &changes.batch_phases {
        steps.push(Step::new(Sql::PutPhase, values![id.0, small(&BatchPhase::ALL, phase)]));
    }
    for (id, at) in &changes.batches_finished {
        steps.push(Step::new(Sql::FinishBatch, values![id.0, at.as_millis()]));
    }
}

/// Schedules whose revisions were found to be what was expected.
pub(super) fn put_schedules<'c>(steps: &mut Vec<Step<'c>>, changes: &'c Changes) {
    for ScheduleChange { id, seen, put, messages } in &changes.schedules {
        let Some(schedule) = put else {
            steps.push(Step::new(Sql::DropSchedule, values![id.0]));
            steps.push(Step::new(Sql::DropScheduleMessages, values![id.0]));
            continue;
        };
        let values = values![
            id.0,
            Text(&*schedule.account),
            schedule.revision.cast_signed(),
            schedule.due.map(|at| at.as_millis()),
            schedule.ended_at.map(|at| at.as_millis()),
            Text(serde_json::to_string(&schedule.terms).expect("strings, times and numbers only")),
            Text(serde_json::to_string(&schedule.course).expect("strings, times and numbers only")),
        ];
        // Nobody can lock what is not there: of two that make it, the second fails by its key.
        steps.push(Step::new(if *seen == 0 { Sql::NewSchedule } else { Sql::PutSchedule }, values));
        if let Some(messages) = messages {
            steps.push(Step::new(Sql::PutScheduleMessages, values![id.0, Text(&**messages)]));
        }
    }
}

/// Remote ids, parked receipts, and MO parts.
pub(super) fn put_receipts<'c>(steps: &mut Vec<Step<'c>>, changes: &'c Changes) {
    let mut remote_ids: Vec<&RemoteId> = changes.remote_ids.iter().rev().collect();
    remote_ids.sort_by(|a, b| a.key.cmp(&b.key));
    // Of two for one id the last counts.
    remote_ids.dedup_by(|a, b| a.key == b.key);
    if !remote_ids.is_empty() {
        let connectors: Vec<_> = remote_ids.iter().map(|id| Text(&*id.key.connector)).collect();
        let ids: Vec<_> = remote_ids.iter().map(|id| Text(&*id.key.id)).collect();
        let messages: Vec<_> = remote_ids.iter().map(|id| id.part.message.0).collect();
        let parts: Vec<_> = remote_ids.iter().map(|id| i16::from(id.part.part)).collect();
        let expiries: Vec<_> = remote_ids.iter().map(|id| id.expires_at.as_millis()).collect();
        steps.push(Step::new(Sql::PutRemoteIds, values![connectors, ids, messages, parts, expiries]));
    }
    let mut done: Vec<&RemoteKey> = changes.remote_ids_done.iter().collect();
    done.sort_unstable();
    if !done.is_empty() {
        let (connectors, ids): (Vec<_>, Vec<_>) =
            done.iter().map(|key| (Text(&*key.connector), Text(&*key.id))).unzip();
        steps.push(Step::new(Sql::DropRemoteIds, values![connectors, ids]));
    }
    put_parked(steps, changes);
    for key in &changes.mo_parts_done {
        let values = values![
            Text(&*key.connector),
            Text(&*key.addresses),
            i32::from(key.reference),
            i16::from(key.total),
            i16::from(key.sequence),
        ];
        steps.push(Step::new(Sql::DropMoPart, values));
    }
    for MoPart { key, body, expires_at } in &changes.mo_parts {
        let mut values = one_body(body);
        values.extend(values![
            Text(&*key.connector),
            Text(&*key.addresses),
            i32::from(key.reference),
            i16::from(key.total),
            i16::from(key.sequence),
            expires_at.as_millis(),
        ]);
        steps.push(Step::new(Sql::PutMoPart, values));
    }
}

fn put_parked<'c>(steps: &mut Vec<Step<'c>>, changes: &'c Changes) {
    let mut done: Vec<_> = changes.parked_done.iter().map(|parked| parked.id.0).collect();
    done.sort_unstable();
    if !done.is_empty() {
        steps.push(Step::new(Sql::DropParked, values![done]));
    }
    let mut parked: Vec<_> = changes.parked.iter().rev().collect();
    parked.sort_by_key(|parked| parked.id);
    parked.dedup_by_key(|parked| parked.id);
    if parked.is_empty() {
        return;
    }
    let receipt =
        |parked: &&store::ParkedReceipt| serde_json::to_string(&parked.receipt).expect("words and strings only");
    let ids: Vec<_> = parked.iter().map(|parked| parked.id.0).collect();
    let connectors: Vec<_> = parked.iter().map(|parked| Text(&*parked.key.connector)).collect();
    let keys: Vec<_> = parked.iter().map(|parked| Text(&*parked.key.id)).collect();
    let remote_ids: Vec<_> = parked.iter().map(|parked| Text(&*parked.remote_id)).collect();
    let receipts: Vec<_> = parked.iter().map(|parked| Text(receipt(parked))).collect();
    let phones: Vec<_> = parked.iter().map(|parked| Text(&*parked.phone)).collect();
    let received: Vec<_> = parked.iter().map(|parked| parked.received_at.as_millis()).collect();
    let expiries: Vec<_> = parked.iter().map(|parked| parked.expires_at.as_millis()).collect();
    let values = values![ids, connectors, keys, remote_ids, receipts, phones, received, expiries];
    steps.push(Step::new(Sql::PutParked, values));
}

/// Deliveries that are over, and those that are owed.
pub(super) fn put_deliveries<'c>(steps: &mut Vec<Step<'c>>, changes: &'c Changes) {
    let mut done: Vec<&DeliveryKey> = changes.deliveries_done.iter().collect();
    done.sort_unstable_by_key(|key| key.id);
    if !done.is_empty() {
        let ids: Vec<_> = done.iter().map(|key| key.id.0).collect();
        let dues: Vec<_> = done.iter().map(|key| key.due.as_millis()).collect();
        let endpoints: Vec<_> = done.iter().map(|key| Text(&*key.endpoint)).collect();
        steps.push(Step::new(Sql::DropDeliveries, values![ids, dues, endpoints]));
    }
    let mut new: Vec<&Delivery> = changes.deliveries.iter().rev().collect();
    new.sort_by_key(|delivery| delivery.id);
    new.dedup_by_key(|delivery| delivery.id);
    if new.is_empty() {
        return;
    }
    let payload = |delivery: &&'c Delivery| -> &'c str { if delivery.restorable { "" } else { &delivery.payload } };
    let values = values![
        new.iter().map(|delivery| delivery.id.0).collect::<Vec<_>>(),
        new.iter().map(|delivery| Text(&*delivery.endpoint)).collect::<Vec<_>>(),
        new.iter().map(|delivery| delivery.due.as_millis()).collect::<Vec<_>>(),
        new.iter().map(|delivery| Text(&*delivery.account)).collect::<Vec<_>>(),
        new.iter().map(|delivery| delivery.message.map(|id| id.0)).collect::<Vec<_>>(),
        new.iter().map(|delivery| delivery.url.as_deref().map(Text)).collect::<Vec<_>>(),
        new.iter().map(|delivery| Text(&*delivery.event)).collect::<Vec<_>>(),
        new.iter().map(|delivery| delivery.created_at.as_millis()).collect::<Vec<_>>(),
        new.iter().map(|delivery| i64::from(delivery.attempts)).collect::<Vec<_>>(),
        new.iter().map(|delivery| small(&DELIVERY_STATES, &delivery.state)).collect::<Vec<_>>(),
        new.iter().map(|delivery| delivery.last_error.as_deref().map(Text)).collect::<Vec<_>>(),
        new.iter().map(|delivery| Text(payload(delivery))).collect::<Vec<_>>(),
        new.iter().map(|delivery| small(&STYLES, &delivery.style)).collect::<Vec<_>>(),
        new.iter().map(|delivery| delivery.restorable).collect::<Vec<_>>(),
    ];
    steps.push(Step::new(Sql::PutDeliveries, values));
}

/// Mail to slots, and mail that was heeded.
pub(super) fn put_mail<'c>(steps: &mut Vec<Step<'c>>, changes: &'c Changes) {
    if !changes.mail.is_empty() {
        let ids: Vec<Uuid> = changes.mail.iter().map(|mail| mail.id.0).collect();
        let slots: Vec<_> = changes.mail.iter().map(|mail| Text(&*mail.to)).collect();
        let contents: Vec<&[u8]> = changes.mail.iter().map(|mail| &*mail.content).collect();
        steps.push(Step::new(Sql::PutMail, values![ids, slots, contents]));
    }
    if !changes.mail_done.is_empty() {
        let mut ids: Vec<Uuid> = changes.mail_done.iter().map(|id| id.0).collect();
        ids.sort_unstable();
        steps.push(Step::new(Sql::DropMail, values![ids]));
    }
}
