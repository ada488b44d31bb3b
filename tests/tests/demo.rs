//! The first minute of a newcomer: `postrider demo --once` works out of the box.

use scenarios::command;

#[test]
fn the_demo_runs_to_its_end() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let output = command().args(["demo", "--once"]).current_dir(folder.path()).output().expect("it starts");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("delivered"), "{text}");
}
