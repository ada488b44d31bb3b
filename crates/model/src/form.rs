//! How fields are read where the types of the derived readers are not quite those of JSON Schema:
//! a whole number is one also when it is written as `49.0` or `4.9e1`, an object is never taken
//! from an array of its fields, and a word is never taken from an object.
//!
//! For `#[serde(deserialize_with = "form::…")]`.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::{MapAccessDeserializer, StrDeserializer};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Unexpected, Visitor};
use serde::{Deserialize, de::IntoDeserializer};

/// A whole number, however it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whole {
    /// Below zero.
    Signed(i64),
    /// Zero or above.
    Unsigned(u64),
}

/// The whole number that a floating-point number is; `None` if it has a fraction, or is so large that
/// it may have been another one before it was read.
#[must_use]
pub fn whole(number: f64) -> Option<Whole> {
    // Below 2^53 every whole number has a floating-point number of its own.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if number.fract() != 0.0 || number.abs() >= EXACT {
        None
    } else if number >= 0.0 {
        Some(Whole::Unsigned(number as u64))
    } else {
        Some(Whole::Signed(number as i64))
    }
}

/// A number that may be read as a [`Whole`].
pub trait Integer: TryFrom<u64> {
    /// Its name for messages.
    const NAME: &'static str;
}

impl Integer for u32 {
    const NAME: &'static str = "u32";
}

impl Integer for u64 {
    const NAME: &'static str = "u64";
}

/// A whole number.
pub fn integer<'de, T: Integer, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_u64(IntegerVisitor(PhantomData))
}

/// A whole number or `null`.
pub fn integer_or_null<'de, T: Integer, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    deserializer.deserialize_option(OrNull(IntegerVisitor(PhantomData)))
}

/// An object or `null`.
pub fn object_or_null<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    deserializer.deserialize_option(OrNull(ObjectVisitor(PhantomData)))
}

/// A list of objects.
pub fn objects<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    deserializer.deserialize_seq(ObjectsVisitor(PhantomData))
}

/// A list of objects or `null`.
pub fn objects_or_null<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Vec<T>>, D::Error> {
    deserializer.deserialize_option(OrNull(ObjectsVisitor(PhantomData)))
}

/// One of an enumeration's words.
pub fn word<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_str(WordVisitor(PhantomData))
}

/// One of an enumeration's words, or `null`.
pub fn word_or_null<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    deserializer.deserialize_option(OrNull(WordVisitor(PhantomData)))
}

/// Reads with a visitor what it expects.
trait Read<'de>: Visitor<'de> {
    fn read<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error>;
}

struct OrNull<V>(V);

impl<'de, V: Read<'de>> Visitor<'de> for OrNull<V> {
    type Value = Option<V::Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(f)
    }

    fn visit_none<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        self.0.read(deserializer).map(Some)
    }
}

struct IntegerVisitor<T>(PhantomData<T>);

impl<T: Integer> Visitor<'_> for IntegerVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::NAME)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<T, E> {
        T::try_from(number).map_err(|_| E::invalid_value(Unexpected::Unsigned(number), &self))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
        match u64::try_from(number) {
            Ok(number) => self.visit_u64(number),
            Err(_) => Err(E::invalid_value(Unexpected::Signed(number), &self)),
        }
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<T, E> {
        match whole(number) {
            Some(Whole::Unsigned(whole)) => self.visit_u64(whole),
            _ => Err(E::invalid_type(Unexpected::Float(number), &self)),
        }
    }
}

impl<'de, T: Integer> Read<'de> for IntegerVisitor<T> {
    fn read<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        deserializer.deserialize_u64(self)
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map))
    }
}

impl<'de, T: Deserialize<'de>> Read<'de> for ObjectVisitor<T> {
    fn read<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, T: Deserialize<'de>> DeserializeSeed<'de> for ObjectVisitor<T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        self.read(deserializer)
    }
}

struct ObjectsVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectsVisitor<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Vec<T>, A::Error> {
        let mut objects = Vec::new();
        while let Some(object) = items.next_element_seed(ObjectVisitor(PhantomData))? {
            objects.push(object);
        }
        Ok(objects)
    }
}

impl<'de, T: Deserialize<'de>> Read<'de> for ObjectsVisitor<T> {
    fn read<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<T>, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

struct WordVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for WordVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a word")
    }

    fn visit_str<E: Error>(self, word: &str) -> Result<T, E> {
        let word: StrDeserializer<'_, E> = word.into_deserializer();
        T::deserialize(word)
    }
}

impl<'de, T: Deserialize<'de>> Read<'de> for WordVisitor<T> {
    fn read<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        deserializer.deserialize_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Submission;

    #[test]
    fn whole_numbers_are_what_json_schema_calls_integers() {
        assert_eq!(whole(49.0), Some(Whole::Unsigned(49)));
        assert_eq!(whole(-0.0), Some(Whole::Unsigned(0)));
        assert_eq!(whole(-3.0), Some(Whole::Signed(-3)));
        assert_eq!(whole(9_007_199_254_740_991.0), Some(Whole::Unsigned(9_007_199_254_740_991)));
        for no in [0.5, -1.5, 1e300, -1e300, 9_007_199_254_740_992.0, f64::NAN, f64::INFINITY] {
            assert_eq!(whole(no), None, "{no}");
        }
    }

    fn fault(json: &str) -> String {
        serde_json::from_str::<Submission>(json).unwrap_err().to_string()
    }

    #[test]
    fn a_submission_is_read_by_the_meaning_of_its_fields() {
        let text = r#"{"to":"1","max_parts":49.0,"class":null,"validity_seconds":6e2,"tlvs":[{"tag":7.0,"hex":""}],
            "binary":{"data":"","dcs":-0.0},"encoding":"gsm7","receipt":"all"}"#;
        let read: Submission = serde_json::from_str(text).unwrap();
        assert_eq!((read.max_parts, read.class, read.validity_seconds), (Some(49), None, Some(600)));
        assert_eq!((read.tlvs[0].tag, read.binary.unwrap().dcs), (7, Some(0)));
        assert!(serde_json::from_str::<Submission>(r#"{"to":"1","binary":null}"#).unwrap().binary.is_none());
    }

    #[test]
    fn other_forms_are_refused_in_plain_words() {
        for (json, expected) in [
            (r#"{"max_parts":49.5}"#, "invalid type: floating point `49.5`, expected u32"),
            (r#"{"max_parts":4294967296.0}"#, "invalid value: integer `4294967296`, expected u32"),
            (r#"{"priority":-1}"#, "invalid value: integer `-1`, expected u32"),
            (r#"{"binary":["AAAA"]}"#, "invalid type: sequence, expected an object"),
            (r#"{"tlvs":[[1,"00"]]}"#, "invalid type: sequence, expected an object"),
            (r#"{"tlvs":{}}"#, "invalid type: map, expected a list of objects"),
            (r#"{"encoding":{"gsm7":null}}"#, "invalid type: map, expected a word"),
            (r#"{"receipt":"some"}"#, "unknown variant `some`, expected one of `none`, `final`, `all`"),
        ] {
            assert!(fault(json).starts_with(expected), "{json}: {}", fault(json));
        }
    }
}
