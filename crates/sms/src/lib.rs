//! Short messages: alphabets, parts, headers, TPDUs and receipt texts.
//!
//! This crate turns what people write into what phones read, and back. It is pure: octets and
//! texts go in and come out, nothing is read from a clock, a file or a socket, and nothing that
//! comes from outside can make it panic. It knows the GSM side (3GPP 23.038 and 23.040) and the
//! one text format of SMPP that is no PDU, the delivery receipt. The wire protocols know the rest.
//!
//! # Sending
//!
//! ```
//! use sms::{Alphabet, TextOptions, plan};
//!
//! let plan = plan("Zażółć gęślą jaźń", &TextOptions::default())?;
//! assert_eq!(plan.alphabet(), Alphabet::Ucs2);
//! assert_eq!(plan.forced_by()[0], ('ż', 2));
//!
//! let options = TextOptions { transliterate: true, ..TextOptions::default() };
//! let plan = sms::plan("Zażółć gęślą jaźń", &options)?;
//! for part in plan.parts() {
//!     let (short_message, has_header) = part.user_data(0x2A);
//!     assert_eq!((short_message.as_slice(), has_header), (&b"Zazolc gesla jazn"[..], false));
//! }
//! # Ok::<(), sms::TextError>(())
//! ```
//!
//! [`plan`] chooses the [`Alphabet`] and cuts the text into [`Part`]s; [`plan_octets`] does so for
//! data, [`plan_septets`] for text that has a header of its own. A [`TextPlan`] holds *unpacked* text: one septet an octet for GSM 7-bit, as SMPP, UCP and
//! CIMD2 want it. Only a TPDU packs it ([`tpdu::UserData::from_part`]). A plan keeps these promises:
//!
//! - no part is cut inside an escape pair or a surrogate pair,
//! - every part with its header fits 140 octets once it is packed,
//! - a single part has no concatenation header,
//! - the parts in order, decoded, are the text (or its transliteration, which is opt-in).
//!
//! The reference number of a long message is the caller's: it is an argument of [`Part::udh`].
//!
//! # Receiving
//!
//! [`decode_user_data`] reads any user data under the coding that came with it ([`dcs`]), header
//! first ([`udh`]). [`tpdu`] reads what modems hand over, [`receipt`] what SMSCs write about
//! messages sent before. Readers are tolerant, for what arrives was accepted by a network already;
//! writers are strict.
//!
//! # Where to look
//!
//! | module | holds |
//! |---|---|
//! | `text`, `parts`, `split` | from a text to parts: choosing, planning, cutting |
//! | `alphabet` | GSM 7-bit tables, default and national, and packing |
//! | `transliterate` | what may be written for characters that GSM 7-bit lacks |
//! | `latin1`, `ucs2` | the other alphabets |
//! | [`udh`] | user data headers |
//! | [`dcs`] | data coding schemes of GSM and of SMPP |
//! | `received` | user data back to text |
//! | [`tpdu`] | SUBMIT, DELIVER, STATUS-REPORT and the reports |
//! | [`receipt`] | SMPP delivery receipts as text |
//! | `date_time` | dates without a clock |

mod alphabet;
mod date_time;
pub mod dcs;
mod latin1;
mod parts;
pub mod receipt;
mod received;
mod split;
mod text;
pub mod tpdu;
mod transliterate;
mod ucs2;
pub mod udh;

pub use alphabet::pack::{fill_bits, header_septets, pack, pack_with_cr, unpack, unpack_with_cr};
pub use alphabet::{Language, Shift, Unencodable, UnknownLanguage, decode_gsm7, encode_gsm7};
pub use date_time::DateTime;
pub use dcs::{Coding, Dcs, DcsGroup, MessageClass, SmppCoding};
pub use latin1::{decode_latin1, encode_latin1};
pub use parts::{Part, TextPlan, plan_octets, plan_septets};
pub use received::{Body, DefaultAlphabet, Described, Received, decode_user_data};
pub use text::{Alphabet, Choice, Count, TextError, TextOptions, count, plan};
pub use transliterate::transliteration;
pub use ucs2::{decode_ucs2, encode_ucs2};
pub use udh::{Concat, Udh, UdhBuilder};
