//! `/v1/groups`: lists of phones. They are those of the account that the caller acts for: each account has
//! names of its own.

use engine::GroupError;
use hyper::StatusCode;
use model::id::is_name;
use model::submission::Fault;
use model::{Address, GROUP_MEMBERS_MAX, Group, GroupKey, Member, MemberKey, MessageId, Name, Timestamp};
use serde::{Deserialize, Serialize};

use super::json;
use super::problem::{Problem, catalogue};
use super::reply::Reply;
use super::request::Request;

/// Wrong numbers of a list that are told at once.
const FAULTS_MAX: usize = 100;

#[derive(Serialize)]
struct Page<T> {
    data: Vec<T>,
    next_cursor: Option<String>,
}

#[derive(Serialize)]
struct ShownGroup<'a> {
    name: &'a str,
    account: &'a str,
    members: u64,
    created_at: Timestamp,
}

impl<'a> From<&'a (Group, u64)> for ShownGroup<'a> {
    fn from((group, members): &'a (Group, u64)) -> Self {
        let Group { key, created_at } = group;
        Self { name: &key.name, account: &key.account, members: *members, created_at: *created_at }
    }
}

#[derive(Serialize)]
struct ShownMember<'a> {
    number: &'a Address,
    joined_at: Timestamp,
    how: &'static str,
    /// The message with which the phone joined.
    message: Option<MessageId>,
}

impl<'a> From<&'a Member> for ShownMember<'a> {
    fn from(member: &'a Member) -> Self {
        let Member { key, joined_at, message } = member;
        let how = if message.is_some() { "sms" } else { "api" };
        Self { number: &key.phone, joined_at: *joined_at, how, message: *message }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Numbers {
    numbers: Vec<String>,
}

#[derive(Serialize)]
struct Added {
    added: u64,
    members: u64,
}

/// `GET /v1/groups`.
pub(super) async fn list(request: &Request<'_>) -> Result<Reply, Problem> {
    let query = request.query(&["limit", "cursor"])?;
    let after: Option<Name> =
        query.read_with("cursor", "the next_cursor of an earlier answer", |text| is_name(text).then(|| text.into()))?;
    let limit = query.limit()?;
    let found = request.engine().groups(&request.caller.account.id, after.as_ref(), limit).await?;
    let next_cursor = found.last().filter(|_| found.len() == limit).map(|(group, _)| group.key.name.to_string());
    Ok(Reply::ok(&Page { data: found.iter().map(ShownGroup::from).collect(), next_cursor }))
}

/// `GET /v1/groups/{id}`.
pub(super) async fn get(request: &Request<'_>, name: &str) -> Result<Reply, Problem> {
    let found = request.engine().group(&key(request, name)?).await?;
    Ok(Reply::ok(&ShownGroup::from(&found)))
}

/// `PUT /v1/groups/{id}`: one that is there already stays as it is.
pub(super) async fn put(request: &Request<'_>, name: &str) -> Result<Reply, Problem> {
    let (group, is_new) = request.engine().make_group(key(request, name)?).await?;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok(Reply::json(status, &ShownGroup::from(&group)))
}

/// `DELETE /v1/groups/{id}`.
pub(super) async fn delete(request: &Request<'_>, name: &str) -> Result<Reply, Problem> {
    request.engine().drop_group(&key(request, name)?).await?;
    Ok(Reply::no_content())
}

/// `GET /v1/groups/{id}/members`.
pub(super) async fn members(request: &Request<'_>, name: &str) -> Result<Reply, Problem> {
    let query = request.query(&["limit", "cursor"])?;
    let cursor = |text: &str| Address::recipient(text, None).ok();
    let after = query.read_with("cursor", "the next_cursor of an earlier answer", cursor)?;
    let limit = query.limit()?;
    let found = request.engine().members(&key(request, name)?, after.as_ref(), limit).await?;
    // Without its plus, which would be a space in a query.
    let next_cursor = found.last().filter(|_| found.len() == limit).map(|last| last.key.phone.bare().to_owned());
    Ok(Reply::ok(&Page { data: found.iter().map(ShownMember::from).collect(), next_cursor }))
}

/// `POST /v1/groups/{id}/members`: all of the numbers, or none.
pub(super) async fn add(request: &mut Request<'_>, name: &str) -> Result<Reply, Problem> {
    let body = request.json_body().await?;
    let wanted: Numbers = json::parse(&body)?;
    let key = key(request, name)?;
    if !(1..=GROUP_MEMBERS_MAX).contains(&wanted.numbers.len()) {
        let detail = format!("must be 1 to {GROUP_MEMBERS_MAX} numbers");
        return Err(Problem::new(&catalogue::INVALID).fault("/numbers", detail));
    }
    let country = request.caller.account.country;
    let (mut phones, mut faults) = (Vec::with_capacity(wanted.numbers.len()), Vec::new());
    for (n, number) in wanted.numbers.iter().enumerate() {
        match Address::recipient(number, country) {
            Ok(phone) => phones.push(phone),
            Err(error) => faults.push(Fault::new(format!("/numbers/{n}"), error.to_string())),
        }
    }
    if !faults.is_empty() {
        let detail = format!("{} of {} numbers are wrong; none was added", faults.len(), wanted.numbers.len());
        faults.truncate(FAULTS_MAX);
        return Err(Problem::new(&catalogue::INVALID).detail(detail).faults(faults));
    }
    let (added, members) = request.engine().add_members(&key, phones).await?;
    Ok(Reply::ok(&Added { added, members }))
}

/// `GET /v1/groups/{id}/members/{number}`.
pub(super) async fn member(request: &Request<'_>, name: &str, number: &str) -> Result<Reply, Problem> {
    let member = request.engine().member(&member_key(request, name, number)?).await?.ok_or_else(no_member)?;
    Ok(Reply::ok(&ShownMember::from(&member)))
}

/// `PUT /v1/groups/{id}/members/{number}`: one that is there already stays as it is.
pub(super) async fn put_member(request: &Request<'_>, name: &str, number: &str) -> Result<Reply, Problem> {
    let key = member_key(request, name, number)?;
    let (new, _) = request.engine().add_members(&key.group, vec![key.phone.clone()]).await?;
    // It may have left in this very moment.
    let member = request.engine().member(&key).await?.ok_or_else(no_member)?;
    let status = if new > 0 { StatusCode::CREATED } else { StatusCode::OK };
    Ok(Reply::json(status, &ShownMember::from(&member)))
}

/// `DELETE /v1/groups/{id}/members/{number}`.
pub(super) async fn remove(request: &Request<'_>, name: &str, number: &str) -> Result<Reply, Problem> {
    match request.engine().remove_member(&member_key(request, name, number)?).await? {
        true => Ok(Reply::no_content()),
        false => Err(no_member()),
    }
}

/// The group of this name of the account that the caller acts for.
pub(super) fn key(request: &Request<'_>, name: &str) -> Result<GroupKey, Problem> {
    if !is_name(name) {
        let detail = "the name of a group is 1 to 64 letters, digits, dots, hyphens or underscores";
        return Err(Problem::new(&catalogue::NOT_FOUND).detail(detail));
    }
    Ok(GroupKey { account: request.caller.account.id.clone(), name: name.into() })
}

fn member_key(request: &Request<'_>, name: &str, number: &str) -> Result<MemberKey, Problem> {
    let group = key(request, name)?;
    // The plus may stand in a path as it is; many programs encode it all the same.
    let number = match number.strip_prefix("%2B").or_else(|| number.strip_prefix("%2b")) {
        Some(digits) => format!("+{digits}"),
        None => number.to_owned(),
    };
    let phone = Address::recipient(&number, request.caller.account.country)
        .map_err(|error| Problem::new(&catalogue::NOT_FOUND).detail(format!("the number in the path {error}")))?;
    Ok(MemberKey { group, phone })
}

fn no_member() -> Problem {
    Problem::new(&catalogue::NOT_FOUND).detail("the number is no member of the group")
}

impl From<GroupError> for Problem {
    fn from(error: GroupError) -> Self {
        match error {
            GroupError::NoSuchGroup => Problem::new(&catalogue::NOT_FOUND).detail(error.to_string()),
            GroupError::TooMany | GroupError::Full(_) => {
                Problem::new(&catalogue::GROUP_LIMIT).detail(error.to_string())
            }
            GroupError::Store(error) => error.into(),
        }
    }
}
