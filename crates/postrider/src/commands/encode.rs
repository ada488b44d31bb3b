//! `encode`: what a text comes to over the air, as JSON; the same as `POST /v1/encode` answers.

use clap::{Args, ValueEnum};
use ingress::http::encode::{EncodeRequest, encode};
use model::submission::EncodingChoice;
use serde_json::json;
use sms::Language;

use crate::outcome::{Failure, Outcome, say};

/// What to encode, and how.
#[derive(Debug, Args)]
pub struct EncodeArgs {
    /// The text; "-" reads it from standard input
    #[arg(allow_hyphen_values = true)]
    text: String,
    /// The alphabet wanted
    #[arg(long, value_enum, default_value_t = Encoding::Auto)]
    encoding: Encoding,
    /// Replace typographic characters so that the text fits GSM 7-bit
    #[arg(long)]
    transliterate: bool,
    /// National language whose shift tables may be used, such as turkish; may be repeated
    #[arg(long = "language", value_parser = |word: &str| word.parse::<Language>())]
    languages: Vec<Language>,
}

/// The alphabets by their names in the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Encoding {
    /// The cheapest that holds the text
    Auto,
    /// GSM 7-bit
    Gsm7,
    /// UTF-16
    Ucs2,
    /// ISO 8859-1
    Latin1,
}

impl From<Encoding> for EncodingChoice {
    fn from(encoding: Encoding) -> Self {
        match encoding {
            Encoding::Auto => Self::Auto,
            Encoding::Gsm7 => Self::Gsm7,
            Encoding::Ucs2 => Self::Ucs2,
            Encoding::Latin1 => Self::Latin1,
        }
    }
}

/// Prints one JSON object; a text that does not fit is an object with `error`.
pub fn run(args: &EncodeArgs) -> Outcome {
    let text = match args.text.as_str() {
        "-" => std::io::read_to_string(std::io::stdin())?,
        text => text.to_owned(),
    };
    let request = EncodeRequest { text, encoding: args.encoding.into(), transliterate: args.transliterate };
    match encode(&request, &args.languages) {
        Ok(encoded) => say(serde_json::to_string(&encoded)?),
        Err(fault) => {
            say(json!({ "error": fault.detail }))?;
            Err(Failure::Told)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vectors_pack_as_they_should() {
        let vectors = include_str!("../../tests/vectors/gsm7.json");
        let vectors: serde_json::Value = serde_json::from_str(vectors).unwrap();
        let mut checked = 0;
        for vector in vectors["vectors"].as_array().unwrap() {
            let (Some(text), Some(packed)) = (vector["text"].as_str(), vector["packed_hex"].as_str()) else { continue };
            let Ok(encoded) = encode(&EncodeRequest { text: text.into(), ..EncodeRequest::default() }, &[]) else {
                continue;
            };
            // Seven spare bits are filled with a CR in USSD (23.038 §6.1.2.3.1), and with zeros in short messages.
            let spare = encoded.units % 8 == 7;
            if !spare && encoded.parts == 1 && encoded.alphabet == "gsm7" && vector["fill_bits"] == 0 {
                assert_eq!(encoded.data[0].tp_ud, packed.to_lowercase(), "{}", vector["id"]);
                checked += 1;
            }
        }
        assert!(checked > 10, "only {checked} vectors were checked");
    }
}
