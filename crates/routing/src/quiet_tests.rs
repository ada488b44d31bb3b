use super::*;
use model::resources::Kind;

fn quiet(json: &str) -> Result<Quiet, Vec<String>> {
    let hours = serde_json::from_str(json).unwrap();
    let mut errors = Vec::new();
    let mut faults = Faults { kind: Kind::Account, id: "a", errors: &mut errors, first: None };
    let compiled = Quiet::compile(&hours, Some("Europe/Berlin"), &Arc::new(Zones::new()), &mut faults);
    compiled.ok_or_else(|| errors.iter().map(ToString::to_string).collect())
}

fn until(quiet: &Quiet, to: &str, now: &str) -> String {
    let to = Address::recipient(to, None).unwrap();
    quiet.until(&to, now.parse().unwrap()).map(|end| end.to_string()).unwrap_or_default()
}

const UK: &str = "+447700900123";
const US: &str = "+12125550123";

#[test]
fn the_clock_is_that_of_the_recipient() {
    let night = quiet(r#"{"from":"21:00","to":"08:00"}"#).unwrap();
    for (to, now, end) in [
        (UK, "2026-01-10T20:59:59Z", ""),
        (UK, "2026-01-10T21:00:00Z", "2026-01-11T08:00:00.000Z"),
        (UK, "2026-01-11T07:59:59Z", "2026-01-11T08:00:00.000Z"),
        (UK, "2026-01-11T08:00:00Z", ""),
        // London is an hour ahead in summer.
        (UK, "2026-07-10T20:00:00Z", "2026-07-11T07:00:00.000Z"),
        ("+818012345678", "2026-07-10T12:00:00Z", "2026-07-10T23:00:00.000Z"),
        // A short code has the clock of the account.
        ("60777", "2026-07-10T19:00:00Z", "2026-07-11T06:00:00.000Z"),
    ] {
        assert_eq!(until(&night, to, now), end, "{to} {now}");
    }
    let berlin = quiet(r#"{"from":"21:00","to":"08:00","time_zone":"Europe/Berlin"}"#).unwrap();
    assert_eq!(until(&berlin, "+818012345678", "2026-07-10T19:00:00Z"), "2026-07-11T06:00:00.000Z");
    let names: Vec<&str> = berlin.clock_names(&Address::recipient(UK, None).unwrap()).collect();
    assert_eq!(names, ["Europe/Berlin"]);
}

#[test]
fn where_there_are_several_clocks_all_of_them_count() {
    let night = quiet(r#"{"from":"21:00","to":"08:00"}"#).unwrap();
    // 8 in the morning of Honolulu is 18:00 UTC; 21:00 in New York is 2:00 UTC in winter.
    assert_eq!(until(&night, US, "2026-01-10T14:00:00Z"), "2026-01-10T18:00:00.000Z");
    assert_eq!(until(&night, US, "2026-01-10T18:00:00Z"), "");
    assert_eq!(until(&night, US, "2026-01-11T01:59:00Z"), "");
    assert_eq!(until(&night, US, "2026-01-11T02:00:00Z"), "2026-01-11T18:00:00.000Z");
    // By eight clocks of the United States nothing is left of 09:00 to 13:00: that of New York counts.
    let narrow = quiet(r#"{"from":"13:00","to":"09:00"}"#).unwrap();
    assert_eq!(until(&narrow, US, "2026-01-10T12:00:00Z"), "2026-01-10T14:00:00.000Z");
}

#[test]
fn days_are_quiet_as_a_whole_and_follow_each_other() {
    let weekend = quiet(r#"{"from":"20:00","to":"10:00","days":["mon"],"quiet_days":["sat","sun"]}"#).unwrap();
    // 2026-01-10 is a Saturday.
    assert_eq!(until(&weekend, UK, "2026-01-09T23:59:00Z"), "");
    assert_eq!(until(&weekend, UK, "2026-01-10T00:00:00Z"), "2026-01-12T00:00:00.000Z");
    assert_eq!(until(&weekend, UK, "2026-01-12T20:00:00Z"), "2026-01-13T10:00:00.000Z");
    assert_eq!(until(&weekend, UK, "2026-01-13T20:00:00Z"), "");
}

#[test]
fn clocks_that_change_leave_no_gap() {
    let night = quiet(r#"{"from":"01:00","to":"02:30","time_zone":"Europe/Berlin"}"#).unwrap();
    // On 2026-10-25 the time from 2 to 3 comes twice: it is quiet until the second 2:30.
    assert_eq!(until(&night, UK, "2026-10-25T00:10:00Z"), "2026-10-25T00:30:00.000Z");
    assert_eq!(until(&night, UK, "2026-10-25T01:10:00Z"), "2026-10-25T01:30:00.000Z");
    // On 2026-03-29 it does not come at all.
    assert_eq!(until(&night, UK, "2026-03-29T00:10:00Z"), "2026-03-29T01:30:00.000Z");
}

#[test]
fn what_is_no_quiet_time_is_told() {
    let told = quiet(r#"{"from":"9","to":"25:00","time_zone":"Mars"}"#).unwrap_err();
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(told[0].contains("quiet_hours.from: \"9\" is no time of day"));
    for always in [
        r#"{"from":"00:00","to":"24:00"}"#,
        r#"{"from":"08:00","to":"08:00"}"#,
        r#"{"from":"08:00","to":"07:00","quiet_days":["mon","tue","wed","thu","fri","sat","sun"]}"#,
    ] {
        assert!(quiet(always).unwrap_err()[0].contains("no time is left"), "{always}");
    }
    assert!(until(&quiet(r#"{"from":"21:00","to":"08:00"}"#).unwrap(), UK, "2026-01-10T12:00:00Z").is_empty());
    let never = Timestamp::from_millis(i64::MAX);
    let to = Address::recipient(UK, None).unwrap();
    assert_eq!(quiet(r#"{"from":"21:00","to":"08:00"}"#).unwrap().until(&to, never), None);
}
