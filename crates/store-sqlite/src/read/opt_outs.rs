//! Who wants to hear nothing more.

use model::{Address, MessageId, OptOut, OptOutId, OptOutKey};
use rusqlite::params_from_iter;
use rusqlite::types::Value;
use store::OptOutFilter;

use super::Reader;
use crate::decode::Read;

/// Opt-outs that pass `filter`, newest first.
pub(crate) fn opt_outs(
    reader: &Reader,
    filter: &OptOutFilter,
    before: Option<OptOutId>,
    count: usize,
) -> Read<Vec<OptOut>> {
    let mut sql = "SELECT id, account, phone, sender, created_at, message FROM opt_out WHERE 1".to_owned();
    let mut values: Vec<Value> = Vec::new();
    let mut only = |condition: &str, value: Value| {
        sql.push_str(condition);
        values.push(value);
    };
    if let Some(before) = before {
        only(" AND id < ?", Value::Blob(before.as_bytes().to_vec()));
    }
    if let Some(id) = filter.id {
        only(" AND id = ?", Value::Blob(id.as_bytes().to_vec()));
    }
    if let Some(account) = &filter.account {
        only(" AND account = ?", Value::Text(account.to_string()));
    }
    if let Some(phone) = &filter.phone {
        only(" AND phone = ?", Value::Text(phone.to_string()));
    }
    only(" ORDER BY id DESC LIMIT ?", Value::Integer(i64::try_from(count).unwrap_or(i64::MAX)));
    reader.all("opt_out", &sql, params_from_iter(values), |columns| {
        let address = |text: &str| Address::from_carrier(text, false);
        Ok(OptOut {
            id: OptOutId(columns.id(0)?),
            key: OptOutKey {
                account: columns.name(1)?,
                phone: address(columns.text(2)?),
                sender: Some(columns.text(3)?).filter(|text| !text.is_empty()).map(address),
            },
            created_at: columns.time(4)?,
            message: columns.id_or_null(5)?.map(MessageId),
        })
    })
}
