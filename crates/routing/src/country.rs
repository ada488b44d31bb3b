//! Which country a number belongs to.

use model::country;

use crate::digits::Digits;
use crate::trie::Trie;

/// Countries that share a calling code: the one that has whatever the others have not.
const MAIN: [(&str, &str); 4] = [("1", "US"), ("7", "RU"), ("39", "IT"), ("262", "RE")];

/// The ranges of the others.
#[rustfmt::skip]
const OWN: [(&str, &[&str]); 27] = [
    ("AG", &["1268"]), ("AI", &["1264"]), ("AS", &["1684"]), ("BB", &["1246"]), ("BM", &["1441"]),
    ("BS", &["1242"]), ("DM", &["1767"]), ("DO", &["1809", "1829", "1849"]), ("GD", &["1473"]),
    ("GU", &["1671"]), ("JM", &["1658", "1876"]), ("KN", &["1869"]), ("KY", &["1345"]), ("LC", &["1758"]),
    ("MP", &["1670"]), ("MS", &["1664"]), ("PR", &["1787", "1939"]), ("SX", &["1721"]), ("TC", &["1649"]),
    ("TT", &["1868"]), ("VC", &["1784"]), ("VG", &["1284"]), ("VI", &["1340"]),
    ("CA", &[
        "1204", "1226", "1236", "1249", "1250", "1257", "1263", "1289", "1306", "1343", "1354", "1365", "1367", "1368",
        "1382", "1403", "1416", "1418", "1428", "1431", "1437", "1438", "1450", "1468", "1474", "1506", "1514", "1519",
        "1548", "1579", "1581", "1584", "1587", "1600", "1604", "1613", "1622", "1639", "1647", "1672", "1683", "1705",
        "1709", "1742", "1753", "1778", "1780", "1782", "1807", "1819", "1825", "1867", "1873", "1879", "1902", "1905",
        "1942",
    ]),
    ("KZ", &["76", "77"]),
    ("VA", &["3906698"]),
    ("YT", &["262269", "262639"]),
];

/// A country, as its place in the table of countries.
pub(crate) type CountryId = u16;

/// Countries by the prefixes of their numbers.
#[derive(Debug)]
pub(crate) struct Countries(Trie);

impl Countries {
    pub fn new() -> Self {
        let mut entries = Vec::new();
        for (country, id) in country::all().zip(0..) {
            let own = OWN.iter().find(|(iso, _)| *iso == country.iso);
            let is_main = MAIN.iter().all(|(code, iso)| *code != country.calling_code || *iso == country.iso);
            let prefixes: &[&str] = match own {
                Some((_, prefixes)) => prefixes,
                None if is_main => &[country.calling_code],
                None => &[],
            };
            entries.extend(prefixes.iter().filter_map(|prefix| Some((Digits::prefix(prefix)?, id))));
        }
        Self(Trie::new(entries))
    }

    /// The country of an international number.
    pub fn of(&self, number: Digits) -> Option<CountryId> {
        self.0.longest(number).and_then(|id| id.try_into().ok())
    }
}

/// The country with this ISO 3166-1 alpha-2 code, in either case.
pub(crate) fn find(iso: &str) -> Option<CountryId> {
    let country = country::find(iso)?;
    country::all().position(|c| c.iso == country.iso)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_belong_to_countries() {
        let countries = Countries::new();
        for (number, iso) in [
            ("447700900123", "GB"),
            ("12125550123", "US"),
            ("14165550123", "CA"),
            ("18765550123", "JM"),
            ("79161234567", "RU"),
            ("77011234567", "KZ"),
            ("390669812345", "VA"),
            ("393331234567", "IT"),
            ("262692123456", "RE"),
            ("262639123456", "YT"),
        ] {
            assert_eq!(countries.of(Digits::leading(number)), find(iso), "{number}");
        }
        assert_eq!(countries.of(Digits::leading("999123456")), None);
        assert_eq!((find("gb"), find("XX")), (find("GB"), None));
    }

    #[test]
    fn every_country_has_numbers() {
        let countries = Countries::new();
        for country in country::all() {
            let own = OWN.iter().find(|(iso, _)| *iso == country.iso);
            let prefix = own.map_or(country.calling_code, |(_, prefixes)| prefixes[0]);
            assert_eq!(countries.of(Digits::leading(prefix)), find(country.iso), "{}", country.iso);
        }
    }
}
