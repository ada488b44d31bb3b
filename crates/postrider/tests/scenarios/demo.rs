use crate::process::printed;

#[test]
fn every_message_of_the_demo_is_delivered() {
    let printed = printed(&["demo", "--once"]);
    assert!(printed.contains("4 of 4 messages were delivered"), "{printed}");
    for kind in ["plain: ", "long: ", "Unicode: ", "flash: "] {
        let line = printed.lines().find(|line| line.starts_with(kind)).unwrap();
        assert!(line.ends_with(": delivered"), "{line}");
    }
    assert!(printed.contains("ucs2") && printed.contains("2 parts"), "{printed}");
    assert_eq!(printed.matches("signature verified").count(), 4, "{printed}");
}
