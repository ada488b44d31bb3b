//! Countries as far as an address needs them: calling code, trunk prefix, length of a number.
//!
//! This is the hot path's table for "as the account's default country writes it"; it knows how
//! numbers are dialled inside a country, not whether one is in service.

/// How numbers are written inside one country.
#[derive(Debug, PartialEq, Eq)]
pub struct Country {
    /// ISO 3166-1 alpha-2, upper case.
    pub iso: &'static str,
    /// The E.164 country code.
    pub calling_code: &'static str,
    /// What is dialled before a national number inside the country; often `0`, or nothing.
    pub trunk: &'static str,
    /// Fewest digits of a national (significant) number.
    pub shortest: u8,
    /// Most digits of a national (significant) number.
    pub longest: u8,
}

/// The country with this ISO 3166-1 alpha-2 code, in either case.
#[must_use]
pub fn find(iso: &str) -> Option<&'static Country> {
    let mut upper = [0; 2];
    let octets = iso.as_bytes();
    if octets.len() != 2 {
        return None;
    }
    upper.copy_from_slice(octets);
    upper.make_ascii_uppercase();
    let at = COUNTRIES.binary_search_by(|c| c.iso.as_bytes().cmp(&upper)).ok()?;
    Some(&COUNTRIES[at])
}

/// Every country, by its code.
pub fn all() -> impl Iterator<Item = &'static Country> {
    COUNTRIES.iter()
}

impl Country {
    /// The national number in `digits` if they are written as this country writes its own
    /// numbers, `None` if they are better read as E.164.
    #[must_use]
    pub fn national_number<'a>(&self, digits: &'a str) -> Option<&'a str> {
        let fits = |n: &str| (usize::from(self.shortest)..=usize::from(self.longest)).contains(&n.len());
        if !self.trunk.is_empty()
            && let Some(national) = digits.strip_prefix(self.trunk)
            && fits(national)
        {
            return Some(national);
        }
        // `44 7700 …` typed without a plus: E.164 already, whatever else it could be read as.
        if digits.strip_prefix(self.calling_code).is_some_and(fits) {
            return None;
        }
        let trunk_is_zero = self.trunk.starts_with('0');
        (!trunk_is_zero && fits(digits)).then_some(digits)
    }
}

const fn c(iso: &'static str, calling_code: &'static str, trunk: &'static str, shortest: u8, longest: u8) -> Country {
    Country { iso, calling_code, trunk, shortest, longest }
}

/// Sorted by `iso`.
#[rustfmt::skip]
static COUNTRIES: &[Country] = &[
    c("AD", "376", "", 6, 9),
    c("AE", "971", "0", 8, 9),
    c("AF", "93", "0", 9, 9),
    c("AG", "1", "1", 10, 10),
    c("AI", "1", "1", 10, 10),
    c("AL", "355", "0", 8, 9),
    c("AM", "374", "0", 8, 8),
    c("AO", "244", "", 9, 9),
    c("AR", "54", "0", 10, 11),
    c("AS", "1", "1", 10, 10),
    c("AT", "43", "0", 7, 13),
    c("AU", "61", "0", 9, 9),
    c("AW", "297", "", 7, 7),
    c("AZ", "994", "0", 9, 9),
    c("BA", "387", "0", 8, 9),
    c("BB", "1", "1", 10, 10),
    c("BD", "880", "0", 8, 10),
    c("BE", "32", "0", 8, 9),
    c("BF", "226", "", 8, 8),
    c("BG", "359", "0", 8, 9),
    c("BH", "973", "", 8, 8),
    c("BI", "257", "", 8, 8),
    c("BJ", "229", "", 8, 10),
    c("BM", "1", "1", 10, 10),
    c("BN", "673", "", 7, 7),
    c("BO", "591", "0", 8, 8),
    c("BR", "55", "0", 10, 11),
    c("BS", "1", "1", 10, 10),
    c("BT", "975", "", 7, 8),
    c("BW", "267", "", 7, 8),
    c("BY", "375", "8", 9, 9),
    c("BZ", "501", "", 7, 7),
    c("CA", "1", "1", 10, 10),
    c("CD", "243", "0", 9, 9),
    c("CF", "236", "", 8, 8),
    c("CG", "242", "", 9, 9),
    c("CH", "41", "0", 9, 9),
    c("CI", "225", "", 10, 10),
    c("CK", "682", "", 5, 5),
    c("CL", "56", "", 9, 9),
    c("CM", "237", "", 9, 9),
    c("CN", "86", "0", 10, 11),
    c("CO", "57", "", 10, 10),
    c("CR", "506", "", 8, 8),
    c("CU", "53", "0", 8, 8),
    c("CV", "238", "", 7, 7),
    c("CY", "357", "", 8, 8),
    c("CZ", "420", "", 9, 9),
    c("DE", "49", "0", 7, 11),
    c("DJ", "253", "", 8, 8),
    c("DK", "45", "", 8, 8),
    c("DM", "1", "1", 10, 10),
    c("DO", "1", "1", 10, 10),
    c("DZ", "213", "0", 8, 9),
    c("EC", "593", "0", 8, 9),
    c("EE", "372", "", 7, 8),
    c("EG", "20", "0", 9, 10),
    c("ER", "291", "0", 7, 7),
    c("ES", "34", "", 9, 9),
    c("ET", "251", "0", 9, 9),
    c("FI", "358", "0", 6, 11),
    c("FJ", "679", "", 7, 7),
    c("FM", "691", "", 7, 7),
    c("FO", "298", "", 6, 6),
    c("FR", "33", "0", 9, 9),
    c("GA", "241", "0", 8, 8),
    c("GB", "44", "0", 9, 10),
    c("GD", "1", "1", 10, 10),
    c("GE", "995", "0", 9, 9),
    c("GF", "594", "0", 9, 9),
    c("GH", "233", "0", 9, 9),
    c("GI", "350", "", 8, 8),
    c("GL", "299", "", 6, 6),
    c("GM", "220", "", 7, 7),
    c("GN", "224", "", 9, 9),
    c("GP", "590", "0", 9, 9),
    c("GQ", "240", "", 9, 9),
    c("GR", "30", "", 10, 10),
    c("GT", "502", "", 8, 8),
    c("GU", "1", "1", 10, 10),
    c("GW", "245", "", 9, 9),
    c("GY", "592", "", 7, 7),
    c("HK", "852", "", 8, 8),
    c("HN", "504", "", 8, 8),
    c("HR", "385", "0", 8, 9),
    c("HT", "509", "", 8, 8),
    c("HU", "36", "06", 8, 9),
    c("ID", "62", "0", 8, 12),
    c("IE", "353", "0", 7, 9),
    c("IL", "972", "0", 8, 9),
    c("IN", "91", "0", 10, 10),
    c("IQ", "964", "0", 9, 10),
    c("IR", "98", "0", 10, 10),
    c("IS", "354", "", 7, 7),
    c("IT", "39", "", 8, 11),
    c("JM", "1", "1", 10, 10),
    c("JO", "962", "0", 8, 9),
    c("JP", "81", "0", 9, 10),
    c("KE", "254", "0", 9, 9),
    c("KG", "996", "0", 9, 9),
    c("KH", "855", "0", 8, 9),
    c("KI", "686", "", 8, 8),
    c("KM", "269", "", 7, 7),
    c("KN", "1", "1", 10, 10),
    c("KP", "850", "0", 8, 10),
    c("KR", "82", "0", 8, 11),
    c("KW", "965", "", 8, 8),
    c("KY", "1", "1", 10, 10),
    c("KZ", "7", "8", 10, 10),
    c("LA", "856", "0", 8, 10),
    c("LB", "961", "0", 7, 8),
    c("LC", "1", "1", 10, 10),
    c("LI", "423", "", 7, 7),
    c("LK", "94", "0", 9, 9),
    c("LR", "231", "0", 7, 9),
    c("LS", "266", "", 8, 8),
    c("LT", "370", "0", 8, 8),
    c("LU", "352", "", 6, 11),
    c("LV", "371", "", 8, 8),
    c("LY", "218", "0", 9, 9),
    c("MA", "212", "0", 9, 9),
    c("MC", "377", "", 8, 9),
    c("MD", "373", "0", 8, 8),
    c("ME", "382", "0", 8, 8),
    c("MG", "261", "0", 9, 9),
    c("MH", "692", "", 7, 7),
    c("MK", "389", "0", 8, 8),
    c("ML", "223", "", 8, 8),
    c("MM", "95", "0", 8, 10),
    c("MN", "976", "0", 8, 8),
    c("MO", "853", "", 8, 8),
    c("MP", "1", "1", 10, 10),
    c("MQ", "596", "0", 9, 9),
    c("MR", "222", "", 8, 8),
    c("MS", "1", "1", 10, 10),
    c("MT", "356", "", 8, 8),
    c("MU", "230", "", 7, 8),
    c("MV", "960", "", 7, 7),
    c("MW", "265", "0", 7, 9),
    c("MX", "52", "", 10, 10),
    c("MY", "60", "0", 8, 10),
    c("MZ", "258", "", 8, 9),
    c("NA", "264", "0", 8, 9),
    c("NC", "687", "", 6, 6),
    c("NE", "227", "", 8, 8),
    c("NG", "234", "0", 8, 10),
    c("NI", "505", "", 8, 8),
    c("NL", "31", "0", 9, 9),
    c("NO", "47", "", 8, 8),
    c("NP", "977", "0", 8, 10),
    c("NR", "674", "", 7, 7),
    c("NU", "683", "", 4, 7),
    c("NZ", "64", "0", 8, 10),
    c("OM", "968", "", 8, 8),
    c("PA", "507", "", 7, 8),
    c("PE", "51", "0", 8, 9),
    c("PF", "689", "", 8, 8),
    c("PG", "675", "", 7, 8),
    c("PH", "63", "0", 8, 10),
    c("PK", "92", "0", 9, 10),
    c("PL", "48", "", 9, 9),
    c("PM", "508", "0", 6, 9),
    c("PR", "1", "1", 10, 10),
    c("PS", "970", "0", 8, 9),
    c("PT", "351", "", 9, 9),
    c("PW", "680", "", 7, 7),
    c("PY", "595", "0", 8, 9),
    c("QA", "974", "", 8, 8),
    c("RE", "262", "0", 9, 9),
    c("RO", "40", "0", 9, 9),
    c("RS", "381", "0", 8, 9),
    c("RU", "7", "8", 10, 10),
    c("RW", "250", "0", 9, 9),
    c("SA", "966", "0", 8, 9),
    c("SB", "677", "", 5, 7),
    c("SC", "248", "", 7, 7),
    c("SD", "249", "0", 9, 9),
    c("SE", "46", "0", 7, 9),
    c("SG", "65", "", 8, 8),
    c("SI", "386", "0", 8, 8),
    c("SK", "421", "0", 9, 9),
    c("SL", "232", "0", 8, 8),
    c("SM", "378", "", 6, 10),
    c("SN", "221", "", 9, 9),
    c("SO", "252", "0", 7, 9),
    c("SR", "597", "", 6, 7),
    c("SS", "211", "0", 9, 9),
    c("ST", "239", "", 7, 7),
    c("SV", "503", "", 8, 8),
    c("SX", "1", "1", 10, 10),
    c("SY", "963", "0", 8, 9),
    c("SZ", "268", "", 8, 8),
    c("TC", "1", "1", 10, 10),
    c("TD", "235", "", 8, 8),
    c("TG", "228", "", 8, 8),
    c("TH", "66", "0", 8, 9),
    c("TJ", "992", "", 9, 9),
    c("TL", "670", "", 7, 8),
    c("TM", "993", "8", 8, 8),
    c("TN", "216", "", 8, 8),
    c("TO", "676", "", 5, 7),
    c("TR", "90", "0", 10, 10),
    c("TT", "1", "1", 10, 10),
    c("TW", "886", "0", 8, 9),
    c("TZ", "255", "0", 9, 9),
    c("UA", "380", "0", 9, 9),
    c("UG", "256", "0", 9, 9),
    c("US", "1", "1", 10, 10),
    c("UY", "598", "0", 8, 8),
    c("UZ", "998", "", 9, 9),
    c("VA", "39", "", 8, 11),
    c("VC", "1", "1", 10, 10),
    c("VE", "58", "0", 10, 10),
    c("VG", "1", "1", 10, 10),
    c("VI", "1", "1", 10, 10),
    c("VN", "84", "0", 9, 10),
    c("VU", "678", "", 5, 7),
    c("WS", "685", "", 5, 7),
    c("XK", "383", "0", 8, 8),
    c("YE", "967", "0", 7, 9),
    c("YT", "262", "0", 9, 9),
    c("ZA", "27", "0", 9, 9),
    c("ZM", "260", "0", 9, 9),
    c("ZW", "263", "0", 8, 10),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_every_country_is_found() {
        assert!(COUNTRIES.is_sorted_by(|a, b| a.iso < b.iso));
        for country in COUNTRIES {
            assert_eq!(find(&country.iso.to_lowercase()), Some(country));
            assert!(country.shortest <= country.longest);
            assert!((1..=3).contains(&country.calling_code.len()));
        }
        assert_eq!(find("XX"), None);
        assert_eq!(find("GBR"), None);
    }
}
