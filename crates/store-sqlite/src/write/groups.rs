//! What happens to groups, as rows.

use model::{GroupAction, GroupChange, GroupTask, Member};
use store::Changes;

use super::Desk;
use super::statements::Sql;
use crate::error::Failure;
use store::encoding::number;

impl Desk<'_> {
    pub(super) fn put_groups(&mut self, changes: &Changes) -> Result<(), Failure> {
        changes.groups.iter().try_for_each(|change| self.put_group_change(change))
    }

    fn put_group_change(&mut self, change: &GroupChange) -> Result<(), Failure> {
        let statements = &mut self.statements;
        match change {
            GroupChange::Make(group) => {
                let (account, name) = (group.key.account.as_ref(), group.key.name.as_ref());
                statements.get(Sql::MakeGroup)?.execute((account, name, group.created_at.as_millis()))?;
            }
            GroupChange::Drop(key) => {
                let key = (key.account.as_ref(), key.name.as_ref());
                statements.get(Sql::DropMembers)?.execute(key)?;
                statements.get(Sql::DropGroup)?.execute(key)?;
            }
            GroupChange::Join(Member { key, joined_at, message }) => {
                statements.get(Sql::PutMember)?.execute((
                    key.group.account.as_ref(),
                    key.group.name.as_ref(),
                    key.phone.as_str(),
                    joined_at.as_millis(),
                    message.as_ref().map(|id| id.as_bytes().as_slice()),
                ))?;
            }
            GroupChange::Leave(key) => {
                let group = &key.group;
                let key = (group.account.as_ref(), group.name.as_ref(), key.phone.as_str());
                statements.get(Sql::DropMember)?.execute(key)?;
            }
            GroupChange::Want(task) => {
                let GroupTask { message, rule, group, action, members_only, text, reply, reply_limit } = &**task;
                statements.get(Sql::PutGroupTask)?.execute((
                    message.as_bytes().as_slice(),
                    rule.as_ref(),
                    group.account.as_ref(),
                    group.name.as_ref(),
                    number(&GroupAction::ALL, action),
                    members_only,
                    text,
                    reply,
                    reply_limit,
                ))?;
            }
            GroupChange::Done(message) => {
                statements.get(Sql::DropGroupTask)?.execute([message.as_bytes().as_slice()])?;
            }
        }
        Ok(())
    }
}
