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
    let (sql, values) = question(filter, before, count);
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

fn question(filter: &OptOutFilter, before: Option<OptOutId>, count: usize) -> (String, Vec<Value>) {
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
    (sql, values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema;

    #[test]
    fn each_list_is_read_in_its_order() {
        let mut db = rusqlite::Connection::open_in_memory().unwrap();
        schema::migrate(&mut db).unwrap();
        let plan = |filter: &OptOutFilter| -> String {
            let (sql, values) = question(filter, Some(OptOutId(model::id::Uuid::nil())), 10);
            let mut statement = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            let steps = statement.query_map(params_from_iter(values), |row| row.get(3)).unwrap();
            steps.map(Result::<String, _>::unwrap).collect::<Vec<_>>().join("; ")
        };
        let account = OptOutFilter { account: Some("shop".into()), ..OptOutFilter::default() };
        let phone =
            OptOutFilter { phone: Some(Address::from_carrier("+447700900123", true)), ..OptOutFilter::default() };
        assert!(plan(&account).contains("opt_out_account (account=? AND id<?)"), "{}", plan(&account));
        assert!(plan(&phone).contains("opt_out_phone (phone=? AND id<?)"), "{}", plan(&phone));
        for filter in [account, phone, OptOutFilter::default()] {
            assert!(!plan(&filter).contains("TEMP B-TREE"), "{}", plan(&filter));
        }
    }
}
