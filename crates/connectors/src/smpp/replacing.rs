//! From another body for a message that the SMSC has to a replace_sm (SMPP 3.4 §4.10). Pure.
//!
//! There is no data_coding in it, no esm_class and, before 5.0, no TLV: what can't be said is refused here, and
//! not left to the SMSC, which would send octets in an alphabet that they are not in.

use std::sync::Arc;

use model::resources::{Connector, ValidityForm};
use model::{Body, Reason, Timestamp};
use smpp::{ReplaceSm, SubmitSm, Tag};

use super::Outgoing;
use super::outgoing::{time_of, unsendable};

/// Turns replacements into replace_sm. It keeps its buffers.
#[derive(Debug, Default)]
pub(super) struct Replacing {
    outgoing: Outgoing,
    schedule: [u8; 16],
}

impl Replacing {
    /// The replace_sm that puts `body` in the place of `old`, which the SMSC calls `remote_id`. All of the text
    /// goes along, also where it stays as it was: what an empty one means is not the same everywhere.
    ///
    /// # Errors
    /// Why the operation can't carry it.
    pub(super) fn replace_sm<'a>(
        &'a mut self,
        connector: &'a Connector,
        (old, body): (&'a Arc<Body>, &'a Arc<Body>),
        remote_id: &'a str,
        now: Timestamp,
    ) -> Result<ReplaceSm<'a>, Reason> {
        let Self { outgoing, schedule } = self;
        let before = outgoing.submit_sm(connector, old, (0, 1), now)?;
        let (coding, class, tlvs) = (before.data_coding, before.esm_class, before.tlvs.well_formed().to_vec());
        let deferred = deferred(connector.validity, body, old, now)?;
        *schedule = deferred.unwrap_or_default();
        let submit: SubmitSm<'a> = outgoing.submit_sm(connector, body, (0, 1), now)?;
        if submit.tlvs.get(Tag::MESSAGE_PAYLOAD).is_some() {
            return Err(unsendable("replace_sm has room for 254 octets"));
        }
        if (submit.data_coding, submit.esm_class, submit.tlvs.well_formed()) != (coding, class, &*tlvs) {
            return Err(unsendable("replace_sm can't name another alphabet: the text must be in the one of the first"));
        }
        Ok(ReplaceSm {
            message_id: remote_id.as_bytes(),
            source: submit.source,
            schedule_delivery_time: if deferred.is_some() { schedule } else { b"" },
            validity_period: submit.validity_period,
            registered_delivery: submit.registered_delivery,
            short_message: submit.short_message,
            ..ReplaceSm::default()
        })
    }
}

/// When the SMSC is to send it, if that is to be said: later, or now where it was to be later.
fn deferred(form: ValidityForm, body: &Body, old: &Body, now: Timestamp) -> Result<Option<[u8; 16]>, Reason> {
    let later = |body: &Body| body.send_at.filter(|at| *at > now);
    let Some(at) = later(body).or(later(old).map(|_| now)) else { return Ok(None) };
    let time = time_of(form, at, now);
    time.map(Some).ok_or_else(|| unsendable("the connector tells its carrier no times: validity = \"none\""))
}

#[cfg(test)]
mod tests {
    use model::{Encoding, ReceiptWish};
    use smpp::RegisteredDelivery;

    use super::*;
    use crate::smpp::samples::{connector, text};

    fn at(seconds: i64) -> Timestamp {
        text("", Encoding::Gsm7).created_at.plus_seconds(seconds)
    }

    #[test]
    fn text_end_time_and_receipts_go_along() {
        let (connector, mut replacing) = (connector(""), Replacing::default());
        let old = Arc::new(text("old", Encoding::Gsm7));
        let body = Body {
            expires_at: at(3600),
            validity_given: true,
            send_at: Some(at(60)),
            receipt: ReceiptWish::None,
            ..text("new @", Encoding::Gsm7)
        };
        let body = Arc::new(body);
        let pdu = replacing.replace_sm(&connector, (&old, &body), "60edc86a", at(0)).unwrap();
        assert_eq!(
            (pdu.message_id, pdu.source.addr, pdu.short_message),
            (&b"60edc86a"[..], &b"SHOP"[..], &b"new \0"[..])
        );
        assert_eq!(pdu.validity_period, b"000000010000000R");
        assert_eq!(
            (pdu.schedule_delivery_time, pdu.registered_delivery),
            (&b"000000000100000R"[..], RegisteredDelivery::NONE)
        );
        // Back to at once, and nothing else.
        let now = Arc::new(Body { send_at: None, ..Body::clone(&old) });
        let pdu = replacing.replace_sm(&connector, (&body, &now), "1", at(1)).unwrap();
        assert_eq!(
            (pdu.schedule_delivery_time, pdu.validity_period, pdu.short_message),
            (&b"000000000001000R"[..], &b""[..], &b"old"[..])
        );
        let pdu = replacing.replace_sm(&connector, (&body, &now), "1", at(61)).unwrap();
        assert_eq!(pdu.schedule_delivery_time, b"", "its time has come");
    }

    #[test]
    fn what_has_no_field_is_refused() {
        let refused = |settings: &str, old: Body, body: Body| {
            let connector = connector(settings);
            let (old, body) = (Arc::new(old), Arc::new(body));
            Replacing::default()
                .replace_sm(&connector, (&old, &body), "1", at(0))
                .map(drop)
                .unwrap_err()
                .detail
                .into_string()
        };
        let old = || text("old", Encoding::Gsm7);
        assert!(refused("", old(), text("漢", Encoding::Ucs2)).contains("alphabet"));
        let flash = Body { class: Some(0), ..old() };
        assert!(refused("flash = \"subunit\"", old(), flash).contains("alphabet"));
        let later = Body { send_at: Some(at(60)), ..old() };
        assert!(refused("validity = \"none\"", old(), later).contains("no times"));
        let long = refused("default_alphabet = \"utf8\"", old(), text(&"é".repeat(150), Encoding::Gsm7));
        assert!(long.contains("254 octets"), "{long}");
    }
}
