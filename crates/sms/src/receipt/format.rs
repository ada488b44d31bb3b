//! Writing a receipt text.

use super::ReceiptState;
use crate::DateTime;

/// What a receipt text says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReceiptFields<'a> {
    /// Exactly the message id that the submitter was given.
    pub id: &'a str,
    /// How many messages were submitted.
    pub submitted: u16,
    /// How many were delivered.
    pub delivered: u16,
    /// When the message was taken, in the zone that the reader expects.
    pub submit_date: DateTime,
    /// When it reached its state, in that zone too.
    pub done_date: DateTime,
    /// The state.
    pub state: ReceiptState,
    /// Error code; shorter ones are filled with zeros to three characters.
    pub error: &'a str,
    /// The message; its first twenty characters go along, and what is not printable ASCII is "?".
    pub text: &'a str,
}

/// Writes a receipt as SMPP 3.4 Appendix B has it: fields in order, ten-digit dates.
pub fn format(fields: &ReceiptFields<'_>) -> String {
    let ReceiptFields { id, submitted, delivered, submit_date, done_date, state, error, text } = *fields;
    let printable = |character: char| if matches!(character, ' '..='~') { character } else { '?' };
    let text: String = text.chars().take(20).map(printable).collect();
    format!(
        "id:{id} sub:{:03} dlvrd:{:03} submit date:{} done date:{} stat:{} err:{error:0>3} text:{text}",
        submitted.min(999),
        delivered.min(999),
        ten_digits(submit_date),
        ten_digits(done_date),
        state.word(),
    )
}

fn ten_digits(date: DateTime) -> String {
    let (year, month, day) = (date.year() % 100, date.month(), date.day());
    format!("{year:02}{month:02}{day:02}{:02}{:02}", date.hour(), date.minute())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::receipt::parse;

    #[test]
    fn the_standard_form_is_written_and_read_back() {
        let date = |minute| DateTime::new(2026, 11, 22, 19, minute, 30).expect("a date");
        let text = format(&ReceiptFields {
            id: "60edc86a",
            submitted: 1,
            delivered: 1,
            submit_date: date(5),
            done_date: date(6),
            state: ReceiptState::Delivered,
            error: "0",
            text: "Ünïcode, and more than twenty",
        });
        assert_eq!(
            text,
            "id:60edc86a sub:001 dlvrd:001 submit date:2611221905 done date:2611221906 \
             stat:DELIVRD err:000 text:?n?code, and more th"
        );
        let receipt = parse(text.as_bytes()).expect("a receipt");
        assert_eq!(receipt.state(), Some(ReceiptState::Delivered));
        assert_eq!(receipt.done_at(0).expect("a date").local, DateTime::new(2026, 11, 22, 19, 6, 0).expect("a date"));
    }
}
