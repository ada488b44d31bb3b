use super::*;

#[test]
fn answers_are_final_unless_they_say_later() {
    assert_eq!(outcome_of(CommandStatus::ROK), CallResult::Taken);
    for later in [0x08, 0x14, 0x58, 0x64, 0x04, 0xFF] {
        assert!(matches!(outcome_of(CommandStatus(later)), CallResult::Failed { .. }), "{later:#x}");
    }
    for never in [0x65, 0x66, 0x01, 0x400] {
        assert!(matches!(outcome_of(CommandStatus(never)), CallResult::Refused { .. }), "{never:#x}");
    }
}

#[test]
fn texts_are_written_as_the_account_reads_them() {
    let written = |text, default, class| {
        let mut octets = Vec::new();
        let coding = write_text(text, default, class, &mut octets);
        (coding, octets)
    };
    use DefaultAlphabet::{Ascii, Gsm7, Gsm7Packed, Latin1, Utf8};
    assert_eq!(written("@a", Gsm7, None), (0, vec![0, b'a']));
    assert_eq!(written("@a", Latin1, None), (0, b"@a".to_vec()));
    assert_eq!(written("é", Ascii, None), (8, vec![0, 0xE9]));
    assert_eq!(written("ж", Utf8, None), (0, "ж".as_bytes().to_vec()));
    assert_eq!(written("ж", Gsm7, Some(0)), (0x18, vec![4, 0x36]));
    assert_eq!(written("@", Latin1, Some(1)), (0x11, vec![0]));
    assert_eq!(written("aaaaaaaa", Gsm7Packed, None).1.len(), 7);
}

#[test]
fn every_status_has_its_word() {
    let words = Status::ALL.map(|status| state_of(status).word());
    let expected = [
        "ENROUTE", "ENROUTE", "ENROUTE", "DELIVRD", "UNDELIV", "EXPIRED", "REJECTD", "UNKNOWN", "UNDELIV", "DELETED",
        "ENROUTE",
    ];
    assert_eq!(words, expected);
}
