//! `/v1/encode`: what a text comes to over the air, without sending it.

use engine::choice_of;
use model::submission::{EncodingChoice, Fault};
use serde::{Deserialize, Serialize};
use sms::tpdu::UserData;
use sms::{Alphabet, Language, TextError, TextOptions, TextPlan};

use super::json;
use super::problem::{Problem, catalogue};
use super::reply::Reply;
use super::request::Request;

/// Octets of the longest text that is looked at; what 255 parts can hold is shorter.
const TEXT_OCTETS_MAX: usize = 160_000;
/// The reference that parts of a long text are shown with.
const REFERENCE: u16 = 0;

/// What to encode.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EncodeRequest {
    /// The text.
    pub text: String,
    /// The alphabet wanted.
    #[serde(default)]
    pub encoding: EncodingChoice,
    /// Replace typographic characters so that the text fits GSM 7-bit.
    #[serde(default)]
    pub transliterate: bool,
}

/// What a text comes to.
#[derive(Clone, Debug, Serialize)]
pub struct Encoded {
    /// `gsm7`, `latin1` or `ucs2`.
    pub alphabet: &'static str,
    /// National language tables in use: of the locking and of the single shift.
    #[serde(skip_serializing_if = "Languages::is_empty")]
    pub languages: Languages,
    /// Parts.
    pub parts: usize,
    /// Units (septets, octets, UTF-16 code units) of the whole text, headers not counted.
    pub units: usize,
    /// Units that each part holds.
    pub units_per_part: usize,
    /// Units still free in the last part.
    pub units_left: usize,
    /// Characters that were replaced.
    pub replaced: usize,
    /// Characters that kept the text out of GSM 7-bit; the first 20.
    pub forced_by: Vec<Forcing>,
    /// The parts as a TPDU has them.
    pub data: Vec<PartData>,
}

/// National language tables.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Languages {
    /// Of the locking shift.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locking: Option<&'static str>,
    /// Of the single shift.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub single: Option<&'static str>,
}

/// A character that kept the text out of GSM 7-bit.
#[derive(Clone, Debug, Serialize)]
pub struct Forcing {
    /// The character.
    pub char: char,
    /// Its code point, `U+017C`.
    pub code_point: String,
    /// Its place in the text: characters (Unicode code points) before it.
    pub position: usize,
}

/// One part.
#[derive(Clone, Debug, Serialize)]
pub struct PartData {
    /// Which, from 1.
    pub n: u8,
    /// Its units.
    pub units: usize,
    /// Its user data header with the length octet, in hexadecimal; `None` if it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub udh: Option<String>,
    /// TP-UD (3GPP 23.040 §9.2.3.24), header included, septets packed, in hexadecimal.
    pub tp_ud: String,
    /// TP-UDL: septets of GSM 7-bit, otherwise octets.
    pub tp_udl: u8,
}

impl Languages {
    fn is_empty(&self) -> bool {
        self.locking.is_none() && self.single.is_none()
    }
}

/// Encodes a text with the national tables of `languages`, 8-bit references and at most 255
/// parts. A fault is the text's: it does not fit the alphabet asked for, or is too long.
pub fn encode(request: &EncodeRequest, languages: &[Language]) -> Result<Encoded, Fault> {
    if request.text.len() > TEXT_OCTETS_MAX {
        return Err(Fault::new("/text", "is longer than 255 parts can be"));
    }
    let options = TextOptions {
        choice: choice_of(request.encoding),
        transliterate: request.transliterate,
        languages,
        ..TextOptions::default()
    };
    let plan = sms::plan(&request.text, &options).map_err(|error: TextError| Fault::new("/text", error.to_string()))?;
    Ok(encoded(&request.text, &plan))
}

pub(super) async fn answer(request: &mut Request<'_>) -> Result<Reply, Problem> {
    let body = request.json_body().await?;
    let asked: EncodeRequest = json::parse(&body)?;
    match encode(&asked, &request.caller.account.languages) {
        Ok(encoded) => Ok(Reply::ok(&encoded)),
        Err(fault) => Err(Problem::new(&catalogue::INVALID).detail("1 field is wrong").faults(vec![fault])),
    }
}

fn encoded(text: &str, plan: &TextPlan) -> Encoded {
    let shift = plan.alphabet().shift();
    Encoded {
        alphabet: match plan.alphabet() {
            Alphabet::Gsm7 { .. } => "gsm7",
            Alphabet::Latin1 => "latin1",
            Alphabet::Ucs2 => "ucs2",
            Alphabet::Octets => "binary",
        },
        languages: Languages { locking: shift.locking.map(Language::name), single: shift.single.map(Language::name) },
        parts: plan.part_count(),
        units: plan.units(),
        units_per_part: plan.units_per_part(),
        units_left: plan.units_left(),
        replaced: plan.replaced(),
        forced_by: plan.forced_by().iter().map(|forcing| forcing_of(text, *forcing)).collect(),
        data: plan.parts().filter_map(|part| data_of(&part)).collect(),
    }
}

fn forcing_of(text: &str, (char, at): (char, usize)) -> Forcing {
    let position = text.char_indices().take_while(|(place, _)| *place < at).count();
    Forcing { char, code_point: format!("U+{:04X}", u32::from(char)), position }
}

/// A planned part always fits its TPDU, so nothing is left out.
fn data_of(part: &sms::Part<'_>) -> Option<PartData> {
    let user_data = UserData::from_part(part, REFERENCE).ok()?;
    Some(PartData {
        n: part.number(),
        units: part.units().len(),
        udh: part.udh(REFERENCE).map(|header| engine::hash::hex(&header)),
        tp_ud: engine::hash::hex(&user_data.octets),
        tp_udl: user_data.length,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(text: &str, encoding: EncodingChoice) -> Result<Encoded, Fault> {
        encode(&EncodeRequest { text: text.into(), encoding, transliterate: false }, &[])
    }

    #[test]
    fn a_short_text_is_one_part() {
        let encoded = encoded("hello", EncodingChoice::Auto).unwrap();
        assert_eq!(
            serde_json::to_string(&encoded).unwrap(),
            r#"{"alphabet":"gsm7","parts":1,"units":5,"units_per_part":160,"units_left":155,"replaced":0,"forced_by":[],"data":[{"n":1,"units":5,"tp_ud":"e8329bfd06","tp_udl":5}]}"#
        );
    }

    #[test]
    fn characters_that_force_ucs2_are_named_with_their_places() {
        let encoded = encoded("é→ż🙂", EncodingChoice::Auto).unwrap();
        assert_eq!((encoded.alphabet, encoded.units), ("ucs2", 5));
        let named: Vec<_> = encoded.forced_by.iter().map(|f| (f.char, f.code_point.as_str(), f.position)).collect();
        assert_eq!(named, [('→', "U+2192", 1), ('ż', "U+017C", 2), ('🙂', "U+1F642", 3)]);
    }

    #[test]
    fn long_texts_have_headers() {
        let encoded = encoded(&"a".repeat(161), EncodingChoice::Gsm7).unwrap();
        assert_eq!((encoded.parts, encoded.units_per_part, encoded.units_left), (2, 153, 145));
        assert_eq!(encoded.data[1].udh.as_deref(), Some("050003000202"));
        assert_eq!(encoded.data[0].tp_udl, 160);
    }

    #[test]
    fn what_does_not_fit_is_a_fault_of_the_text() {
        assert_eq!(encoded("ż", EncodingChoice::Gsm7).unwrap_err().pointer, "/text");
        assert_eq!(encoded(&"x".repeat(200_000), EncodingChoice::Auto).unwrap_err().pointer, "/text");
    }
}
