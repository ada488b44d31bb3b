//! From a message's body to its parts' octets: the same plan at acceptance and at every sending.

use model::{Body, Content, Encoding};
use sms::{Alphabet, Choice, Coding, Language, SmppCoding, TextError, TextOptions, TextPlan};

/// The plan that an accepted message was counted by. It can't fail for a message that was
/// accepted; an error means that the stored row was altered.
pub fn plan(body: &Body) -> Result<TextPlan, TextError> {
    match (&body.content, body.sent_text()) {
        (Content::Binary { data, udh, dcs }, _) => plan_binary(data, udh, *dcs, body.wide_reference),
        (Content::Text(_), text) => {
            let (locking, single) = body.shift;
            let languages = [locking, single].map(Language::from_identifier);
            let languages: Vec<Language> = languages.into_iter().flatten().collect();
            let options = TextOptions {
                choice: choice_of(body.encoding),
                transliterate: body.transliterate,
                languages: &languages,
                wide_reference: body.wide_reference,
                max_parts: u8::MAX,
            };
            sms::plan(&text.unwrap_or_default(), &options)
        }
    }
}

/// The plan of octets with their own header. Where their data coding says GSM 7-bit they are
/// septets, one an octet.
pub(crate) fn plan_binary(data: &[u8], udh: &[u8], dcs: u8, wide_reference: bool) -> Result<TextPlan, TextError> {
    if is_septets(dcs) {
        sms::plan_septets(data, udh, wide_reference, u8::MAX)
    } else {
        sms::plan_octets(data, udh, wide_reference, u8::MAX)
    }
}

/// Does this data coding, as SMPP writes it, mean text in GSM 7-bit?
#[must_use]
pub fn is_septets(dcs: u8) -> bool {
    match SmppCoding::decode(dcs) {
        SmppCoding::Default => true,
        SmppCoding::Gsm(dcs) => dcs.coding == Coding::Gsm7 && !dcs.compressed,
        _ => false,
    }
}

/// The alphabet as messages name it.
#[must_use]
pub fn encoding_of(alphabet: Alphabet) -> Encoding {
    match alphabet {
        Alphabet::Gsm7 { .. } => Encoding::Gsm7,
        Alphabet::Latin1 => Encoding::Latin1,
        Alphabet::Ucs2 => Encoding::Ucs2,
        Alphabet::Octets => Encoding::Binary,
    }
}

/// Locking and single shift table, as messages keep them; 0 is the default table.
#[must_use]
pub fn shift_of(alphabet: Alphabet) -> (u8, u8) {
    let shift = alphabet.shift();
    let identifier = |language: Option<Language>| language.map_or(0, Language::identifier);
    (identifier(shift.locking), identifier(shift.single))
}

fn choice_of(encoding: Encoding) -> Choice {
    match encoding {
        Encoding::Gsm7 => Choice::Gsm7,
        Encoding::Latin1 => Choice::Latin1,
        Encoding::Ucs2 | Encoding::Binary => Choice::Ucs2,
    }
}
