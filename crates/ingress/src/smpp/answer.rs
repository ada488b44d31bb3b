//! What the gateway says in SMPP: message ids, and refusals as command_status. Pure.

use std::fmt::Write;

use engine::{BindDenied, Limit, Refusal};
use model::MessageId;
use model::id::Uuid;
use model::resources::MessageIdForm;
use smpp::CommandStatus;

/// The longest id, in decimal.
const ID_MAX: usize = 39;

/// Writes a message's id as the account wants it. `short` is a session of SMPP 3.3, whose ids have
/// room for 8 hexadecimal digits (SMPP 3.3 §5.2.12): those of the id's end, which are random.
pub(super) fn write_id(id: MessageId, form: MessageIdForm, short: bool, out: &mut String) {
    let form = if short { MessageIdForm::Short } else { form };
    // Writing to a String does not fail.
    let _ = match form {
        MessageIdForm::Uuid => {
            let mut text = [0; 36];
            out.push_str(id.0.as_hyphenated().encode_lower(&mut text));
            Ok(())
        }
        MessageIdForm::Hex => {
            let mut text = [0; 32];
            out.push_str(id.0.as_simple().encode_lower(&mut text));
            Ok(())
        }
        MessageIdForm::Decimal => write!(out, "{}", id.0.as_u128()),
        MessageIdForm::Short => write!(out, "{:08x}", id.0.as_u128() as u32),
    };
}

/// An id that a client names, in any of the long forms.
pub(super) fn read_id(text: &[u8]) -> Option<MessageId> {
    let text = std::str::from_utf8(text).ok()?;
    match text.len() {
        32 | 36 => Uuid::try_parse(text).ok().map(MessageId),
        33..=ID_MAX => text.parse().ok().map(Uuid::from_u128).map(MessageId),
        _ => None,
    }
}

/// A short id that a client names.
pub(super) fn short_id(text: &[u8]) -> Option<u32> {
    let text = std::str::from_utf8(text).ok().filter(|text| text.len() == 8)?;
    u32::from_str_radix(text, 16).ok()
}

/// The status that tells a client why its message was not accepted. Those that it may send again
/// are temporary in every client: ESME_RSYSERR, ESME_RTHROTTLED and ESME_RMSGQFUL.
pub(super) fn status_of(refusal: &Refusal) -> CommandStatus {
    match refusal {
        Refusal::Invalid(faults) => {
            let pointer = faults.first().map_or("", |fault| fault.pointer.as_str());
            status_of_field(pointer.trim_start_matches('/').split('/').next().unwrap_or_default())
        }
        Refusal::NoRoute | Refusal::CountryNotAllowed(_) | Refusal::OptedOut(_) => CommandStatus::RINVDSTADR,
        Refusal::SenderNotAllowed(_) => CommandStatus::RINVSRCADR,
        Refusal::Limited { limit: Limit::Queue, .. } => CommandStatus::RMSGQFUL,
        Refusal::Limited { .. } => CommandStatus::RTHROTTLED,
        Refusal::Rejected { .. }
        | Refusal::PolicyRejects(_)
        | Refusal::Misrouted { .. }
        | Refusal::Forbidden(_)
        | Refusal::QuietHours { .. }
        | Refusal::NoPrice(..)
        | Refusal::BalanceTooLow(_) => CommandStatus::RSUBMITFAIL,
        Refusal::Draining | Refusal::StoreAway(_) | Refusal::PolicyAway(_) | Refusal::KeyInUse | Refusal::KeyReused => {
            CommandStatus::RSYSERR
        }
    }
}

fn status_of_field(field: &str) -> CommandStatus {
    match field {
        "to" => CommandStatus::RINVDSTADR,
        "from" => CommandStatus::RINVSRCADR,
        "text" | "binary" | "max_parts" => CommandStatus::RINVMSGLEN,
        "send_at" => CommandStatus::RINVSCHED,
        "validity_seconds" => CommandStatus::RINVEXPIRY,
        "priority" => CommandStatus::RINVPRTFLG,
        "tlvs" => CommandStatus::RINVTLVVAL,
        "service_type" => CommandStatus::RINVSERTYP,
        _ => CommandStatus::RSUBMITFAIL,
    }
}

/// The answer to a bind that is not taken. It is the same for a name that is not known and for a
/// wrong password, so that names can't be guessed; the log says which it was.
pub(super) fn status_of_bind(denied: BindDenied) -> CommandStatus {
    match denied {
        BindDenied::UnknownSystemId | BindDenied::WrongPassword => CommandStatus::RINVPASWD,
        BindDenied::SystemType => CommandStatus::RINVSYSTYP,
        BindDenied::Network | BindDenied::TlsRequired | BindDenied::AccountDisabled => CommandStatus::RBINDFAIL,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::submission::Fault;

    const ID: MessageId = MessageId(Uuid::from_u128(0x019a_0000_0000_7000_8000_0000_dead_beef));

    #[test]
    fn ids_are_written_in_every_form_and_long_ones_are_read_back() {
        let written = |form, short| {
            let mut text = String::new();
            write_id(ID, form, short, &mut text);
            text
        };
        for form in [MessageIdForm::Uuid, MessageIdForm::Hex, MessageIdForm::Decimal] {
            let text = written(form, false);
            assert!(text.len() <= 64);
            assert_eq!(read_id(text.as_bytes()), Some(ID), "{text}");
            assert_eq!(written(form, true), "deadbeef");
        }
        assert_eq!(written(MessageIdForm::Short, false), "deadbeef");
        for none in ["deadbeef", "", "x", "340282366920938463463374607431768211456"] {
            assert_eq!(read_id(none.as_bytes()), None, "{none}");
        }
    }

    #[test]
    fn a_fault_is_told_by_its_field() {
        let status = |pointer: &str| status_of(&Refusal::Invalid(vec![Fault::new(pointer, "is wrong")]));
        assert_eq!(status("/to"), CommandStatus::RINVDSTADR);
        assert_eq!(status("/from"), CommandStatus::RINVSRCADR);
        assert_eq!(status("/tlvs/0/hex"), CommandStatus::RINVTLVVAL);
        assert_eq!(status("/binary/udh"), CommandStatus::RINVMSGLEN);
        assert_eq!(status_of(&Refusal::StoreAway("full".into())), CommandStatus::RSYSERR);
    }
}
