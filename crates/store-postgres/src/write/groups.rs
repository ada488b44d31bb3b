//! Opt-outs, and what happens to groups, as rows.

use std::collections::HashSet;

use model::{GroupAction, GroupChange, GroupTask, Member, OptOutKey};
use store::Changes;

use super::columns::small;
use crate::pipeline::Step;
use crate::sql::Sql;
use crate::text::Text;

/// Opt-outs that are taken back, then new ones.
pub(super) fn put_opt_outs<'c>(steps: &mut Vec<Step<'c>>, changes: &'c Changes) {
    fn key(key: &OptOutKey) -> (Text<&str>, Text<&str>, Text<&str>) {
        let sender = key.sender.as_ref().map_or("", |sender| sender.as_str());
        (Text(&key.account), Text(key.phone.as_str()), Text(sender))
    }
    for done in &changes.opt_outs_done {
        let (account, phone, sender) = key(done);
        steps.push(Step::new(Sql::DropOptOut, values![account, phone, sender]));
    }
    for new in &changes.opt_outs {
        let (account, phone, sender) = key(&new.key);
        let (at, message) = (new.created_at.as_millis(), new.message.map(|id| id.0));
        steps.push(Step::new(Sql::PutOptOut, values![account, phone, sender, new.id.0, at, message]));
    }
}

/// Changes of groups in their order; members that join one after the other do so together.
pub(super) fn put_groups<'c>(steps: &mut Vec<Step<'c>>, changes: &'c Changes) {
    let joins = |change: &GroupChange| matches!(change, GroupChange::Join(_));
    for run in changes.groups.chunk_by(|a, b| joins(a) && joins(b)) {
        let members: Vec<&Member> = run
            .iter()
            .filter_map(|change| match change {
                GroupChange::Join(member) => Some(member),
                _ => None,
            })
            .collect();
        if members.is_empty() {
            run.iter().for_each(|change| put_change(steps, change));
        } else {
            put_members(steps, members);
        }
    }
}

fn put_members<'c>(steps: &mut Vec<Step<'c>>, mut members: Vec<&'c Member>) {
    // Who joins twice has joined the first time.
    let mut seen = HashSet::new();
    members.retain(|member| seen.insert(&member.key));
    members.sort_by(|a, b| a.key.cmp(&b.key));
    let values = values![
        members.iter().map(|member| Text(&*member.key.group.account)).collect::<Vec<_>>(),
        members.iter().map(|member| Text(&*member.key.group.name)).collect::<Vec<_>>(),
        members.iter().map(|member| Text(member.key.phone.as_str())).collect::<Vec<_>>(),
        members.iter().map(|member| member.joined_at.as_millis()).collect::<Vec<_>>(),
        members.iter().map(|member| member.message.map(|id| id.0)).collect::<Vec<_>>(),
    ];
    steps.push(Step::new(Sql::PutMembers, values));
}

fn put_change<'c>(steps: &mut Vec<Step<'c>>, change: &'c GroupChange) {
    match change {
        GroupChange::Make(group) => {
            let (account, name) = (Text(&*group.key.account), Text(&*group.key.name));
            steps.push(Step::new(Sql::MakeGroup, values![account, name, group.created_at.as_millis()]));
        }
        GroupChange::Drop(key) => {
            for sql in [Sql::DropMembers, Sql::DropGroup] {
                steps.push(Step::new(sql, values![Text(&*key.account), Text(&*key.name)]));
            }
        }
        // They come in runs.
        GroupChange::Join(member) => put_members(steps, vec![member]),
        GroupChange::Leave(key) => {
            let group = &key.group;
            let values = values![Text(&*group.account), Text(&*group.name), Text(key.phone.as_str())];
            steps.push(Step::new(Sql::DropMember, values));
        }
        GroupChange::Want(task) => {
            let GroupTask { message, rule, group, action, members_only, text, reply, reply_limit } = &**task;
            let values = values![
                message.0,
                Text(&**rule),
                Text(&*group.account),
                Text(&*group.name),
                small(&GroupAction::ALL, action),
                *members_only,
                text.as_deref().map(Text),
                reply.as_deref().map(Text),
                reply_limit.map(i64::from),
            ];
            steps.push(Step::new(Sql::PutGroupTask, values));
        }
        GroupChange::Done(message) => steps.push(Step::new(Sql::DropGroupTask, values![message.0])),
    }
}
