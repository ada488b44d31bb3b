//! Groups, their members, and what is to be done with them.

use model::{Address, Group, GroupAction, GroupKey, GroupTask, Member, MemberKey, MessageId};
use store::GroupFilter;
use uuid::Uuid;

use super::{Question, limit};
use crate::decode::{Columns, Read, each};
use crate::link::Connection;
use crate::text::Text;

/// Groups that pass `filter` with the number of their members, by account and name.
pub(crate) async fn groups(
    connection: &Connection,
    filter: &GroupFilter,
    after: Option<&GroupKey>,
    count: usize,
) -> Read<Vec<(Group, u64)>> {
    let mut question = Question::new(
        "SELECT account, name, created_at, (SELECT count(*) FROM group_member AS member
            WHERE member.account = phone_group.account AND member.name = phone_group.name) FROM phone_group WHERE true",
    );
    question.only(" AND account = ?", filter.account.as_deref().map(Text));
    question.only(" AND name = ?", filter.name.as_deref().map(Text));
    if let Some(after) = after {
        question.push(" AND (account, name) > (?", Text(&*after.account));
        question.push(", ?)", Text(&*after.name));
    }
    question.push(" ORDER BY account, name LIMIT ?", limit(count));
    each("phone_group", &question.rows(connection).await?, |columns| {
        let key = GroupKey { account: columns.name(0)?, name: columns.name(1)? };
        Ok((Group { key, created_at: columns.time(2)? }, columns.big(3)?))
    })
}

const MEMBER: &str =
    "SELECT account, name, phone, joined_at, message FROM group_member WHERE account = $1 AND name = $2";

/// Members of a group by their numbers, strictly after `after`.
pub(crate) async fn members(
    connection: &Connection,
    group: &GroupKey,
    after: Option<&Address>,
    count: usize,
) -> Read<Vec<Member>> {
    let sql = format!("{MEMBER} AND phone > $3 ORDER BY phone LIMIT $4");
    let after = after.map_or("", Address::as_str);
    let values = values![Text(&*group.account), Text(&*group.name), Text(after), limit(count)];
    each("group_member", &connection.rows(&sql, values).await?, member_of)
}

/// A phone as a member of a group.
pub(crate) async fn member(connection: &Connection, group: &GroupKey, phone: &Address) -> Read<Option<Member>> {
    let sql = format!("{MEMBER} AND phone = $3");
    let values = values![Text(&*group.account), Text(&*group.name), Text(phone.as_str())];
    Ok(each("group_member", &connection.rows(&sql, values).await?, member_of)?.pop())
}

/// What is to be done with groups, in the order of the messages.
pub(crate) async fn group_tasks(connection: &Connection, count: usize) -> Read<Vec<GroupTask>> {
    let sql = "SELECT message, rule, account, name, action, members_only, text, reply, reply_limit FROM group_task
        ORDER BY message LIMIT $1";
    each("group_task", &connection.rows(sql, values![limit(count)]).await?, |columns| {
        let reply_limit = columns.get::<Option<i64>>(8)?.map(u32::try_from).transpose();
        Ok(GroupTask {
            message: MessageId(columns.get(0)?),
            rule: columns.name(1)?,
            group: GroupKey { account: columns.name(2)?, name: columns.name(3)? },
            action: columns.one_of(4, &GroupAction::ALL)?,
            members_only: columns.get(5)?,
            text: columns.text_or_null(6)?.map(Into::into),
            reply: columns.text_or_null(7)?.map(Into::into),
            reply_limit: reply_limit.map_err(|_| columns.broken(8))?,
        })
    })
}

fn member_of(columns: &Columns<'_>) -> Read<Member> {
    let group = GroupKey { account: columns.name(0)?, name: columns.name(1)? };
    let phone = Address::from_carrier(&columns.text(2)?, false);
    Ok(Member {
        key: MemberKey { group, phone },
        joined_at: columns.time(3)?,
        message: columns.get::<Option<Uuid>>(4)?.map(MessageId),
    })
}
