//! Which clocks the phones of a country go by.

use jiff::tz::{TimeZone, TimeZoneDatabase};
use model::{Address, AddressKind, country};

use crate::country::Countries;
use crate::digits::Digits;

/// The clocks of all countries.
#[derive(Debug)]
pub(crate) struct Zones {
    countries: Countries,
    /// By the place of a country in the table of countries.
    of_country: Vec<Vec<TimeZone>>,
}

impl Zones {
    pub fn new() -> Self {
        let database = TimeZoneDatabase::bundled();
        let zone = |name: &&str| database.get(name).ok();
        let of_country = country::all().map(|country| names_of(country.iso).iter().filter_map(zone).collect());
        Self { countries: Countries::new(), of_country: of_country.collect() }
    }

    /// The clocks that the phone of this number may go by, that of most people first; none for what is no
    /// number of a country, such as a short code.
    pub fn of(&self, number: &Address) -> &[TimeZone] {
        let country = match number.kind() {
            AddressKind::International => self.countries.of(Digits::leading(number.bare())),
            AddressKind::Short | AddressKind::Alphanumeric => None,
        };
        country.and_then(|id| self.of_country.get(usize::from(id))).map_or(&[], Vec::as_slice)
    }
}

fn names_of(iso: &str) -> &'static [&'static str] {
    ZONES.binary_search_by(|(other, _)| (*other).cmp(iso)).map_or(&[], |at| ZONES[at].1)
}

/// Time zones by country, sorted by its code. Of those that go alike one stands for all; the first is
/// that of most people.
#[rustfmt::skip]
static ZONES: &[(&str, &[&str])] = &[
    ("AD", &["Europe/Andorra"]), ("AE", &["Asia/Dubai"]), ("AF", &["Asia/Kabul"]), ("AG", &["America/Antigua"]),
    ("AI", &["America/Anguilla"]), ("AL", &["Europe/Tirane"]), ("AM", &["Asia/Yerevan"]), ("AO", &["Africa/Luanda"]),
    ("AR", &["America/Argentina/Buenos_Aires"]), ("AS", &["Pacific/Pago_Pago"]), ("AT", &["Europe/Vienna"]),
    ("AU", &[
        "Australia/Sydney", "Australia/Lord_Howe", "Australia/Broken_Hill", "Australia/Brisbane", "Australia/Darwin",
        "Australia/Perth", "Australia/Eucla",
    ]),
    ("AW", &["America/Aruba"]), ("AZ", &["Asia/Baku"]), ("BA", &["Europe/Sarajevo"]), ("BB", &["America/Barbados"]),
    ("BD", &["Asia/Dhaka"]), ("BE", &["Europe/Brussels"]), ("BF", &["Africa/Ouagadougou"]), ("BG", &["Europe/Sofia"]),
    ("BH", &["Asia/Bahrain"]), ("BI", &["Africa/Bujumbura"]), ("BJ", &["Africa/Porto-Novo"]),
    ("BM", &["Atlantic/Bermuda"]), ("BN", &["Asia/Brunei"]), ("BO", &["America/La_Paz"]),
    ("BR", &["America/Sao_Paulo", "America/Noronha", "America/Campo_Grande", "America/Eirunepe"]),
    ("BS", &["America/Nassau"]), ("BT", &["Asia/Thimphu"]), ("BW", &["Africa/Gaborone"]), ("BY", &["Europe/Minsk"]),
    ("BZ", &["America/Belize"]),
    ("CA", &[
        "America/Toronto", "America/St_Johns", "America/Halifax", "America/Blanc-Sablon", "America/Atikokan",
        "America/Winnipeg", "America/Regina", "America/Edmonton", "America/Creston", "America/Vancouver",
    ]),
    ("CD", &["Africa/Kinshasa", "Africa/Lubumbashi"]), ("CF", &["Africa/Bangui"]), ("CG", &["Africa/Brazzaville"]),
    ("CH", &["Europe/Zurich"]), ("CI", &["Africa/Abidjan"]), ("CK", &["Pacific/Rarotonga"]),
    ("CL", &["America/Santiago", "America/Coyhaique", "Pacific/Easter"]), ("CM", &["Africa/Douala"]),
    ("CN", &["Asia/Shanghai"]), ("CO", &["America/Bogota"]), ("CR", &["America/Costa_Rica"]),
    ("CU", &["America/Havana"]), ("CV", &["Atlantic/Cape_Verde"]), ("CY", &["Asia/Nicosia"]),
    ("CZ", &["Europe/Prague"]), ("DE", &["Europe/Berlin"]), ("DJ", &["Africa/Djibouti"]),
    ("DK", &["Europe/Copenhagen"]), ("DM", &["America/Dominica"]), ("DO", &["America/Santo_Domingo"]),
    ("DZ", &["Africa/Algiers"]), ("EC", &["America/Guayaquil", "Pacific/Galapagos"]), ("EE", &["Europe/Tallinn"]),
    ("EG", &["Africa/Cairo"]), ("ER", &["Africa/Asmara"]), ("ES", &["Europe/Madrid", "Atlantic/Canary"]),
    ("ET", &["Africa/Addis_Ababa"]), ("FI", &["Europe/Helsinki"]), ("FJ", &["Pacific/Fiji"]),
    ("FM", &["Pacific/Pohnpei", "Pacific/Chuuk"]), ("FO", &["Atlantic/Faroe"]), ("FR", &["Europe/Paris"]),
    ("GA", &["Africa/Libreville"]), ("GB", &["Europe/London"]), ("GD", &["America/Grenada"]), ("GE", &["Asia/Tbilisi"]),
    ("GF", &["America/Cayenne"]), ("GH", &["Africa/Accra"]), ("GI", &["Europe/Gibraltar"]),
    ("GL", &["America/Nuuk", "America/Danmarkshavn", "America/Thule"]), ("GM", &["Africa/Banjul"]),
    ("GN", &["Africa/Conakry"]), ("GP", &["America/Guadeloupe"]), ("GQ", &["Africa/Malabo"]),
    ("GR", &["Europe/Athens"]), ("GT", &["America/Guatemala"]), ("GU", &["Pacific/Guam"]), ("GW", &["Africa/Bissau"]),
    ("GY", &["America/Guyana"]), ("HK", &["Asia/Hong_Kong"]), ("HN", &["America/Tegucigalpa"]),
    ("HR", &["Europe/Zagreb"]), ("HT", &["America/Port-au-Prince"]), ("HU", &["Europe/Budapest"]),
    ("ID", &["Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura"]), ("IE", &["Europe/Dublin"]),
    ("IL", &["Asia/Jerusalem"]), ("IN", &["Asia/Kolkata"]), ("IQ", &["Asia/Baghdad"]), ("IR", &["Asia/Tehran"]),
    ("IS", &["Atlantic/Reykjavik"]), ("IT", &["Europe/Rome"]), ("JM", &["America/Jamaica"]), ("JO", &["Asia/Amman"]),
    ("JP", &["Asia/Tokyo"]), ("KE", &["Africa/Nairobi"]), ("KG", &["Asia/Bishkek"]), ("KH", &["Asia/Phnom_Penh"]),
    ("KI", &["Pacific/Tarawa", "Pacific/Kanton", "Pacific/Kiritimati"]), ("KM", &["Indian/Comoro"]),
    ("KN", &["America/St_Kitts"]), ("KP", &["Asia/Pyongyang"]), ("KR", &["Asia/Seoul"]), ("KW", &["Asia/Kuwait"]),
    ("KY", &["America/Cayman"]), ("KZ", &["Asia/Almaty"]), ("LA", &["Asia/Vientiane"]), ("LB", &["Asia/Beirut"]),
    ("LC", &["America/St_Lucia"]), ("LI", &["Europe/Vaduz"]), ("LK", &["Asia/Colombo"]), ("LR", &["Africa/Monrovia"]),
    ("LS", &["Africa/Maseru"]), ("LT", &["Europe/Vilnius"]), ("LU", &["Europe/Luxembourg"]), ("LV", &["Europe/Riga"]),
    ("LY", &["Africa/Tripoli"]), ("MA", &["Africa/Casablanca"]), ("MC", &["Europe/Monaco"]),
    ("MD", &["Europe/Chisinau"]), ("ME", &["Europe/Podgorica"]), ("MG", &["Indian/Antananarivo"]),
    ("MH", &["Pacific/Majuro"]), ("MK", &["Europe/Skopje"]), ("ML", &["Africa/Bamako"]), ("MM", &["Asia/Yangon"]),
    ("MN", &["Asia/Ulaanbaatar", "Asia/Hovd"]), ("MO", &["Asia/Macau"]), ("MP", &["Pacific/Saipan"]),
    ("MQ", &["America/Martinique"]), ("MR", &["Africa/Nouakchott"]), ("MS", &["America/Montserrat"]),
    ("MT", &["Europe/Malta"]), ("MU", &["Indian/Mauritius"]), ("MV", &["Indian/Maldives"]),
    ("MW", &["Africa/Blantyre"]),
    ("MX", &[
        "America/Mexico_City", "America/Cancun", "America/Matamoros", "America/Ciudad_Juarez", "America/Mazatlan",
        "America/Tijuana",
    ]),
    ("MY", &["Asia/Kuala_Lumpur"]), ("MZ", &["Africa/Maputo"]), ("NA", &["Africa/Windhoek"]),
    ("NC", &["Pacific/Noumea"]), ("NE", &["Africa/Niamey"]), ("NG", &["Africa/Lagos"]), ("NI", &["America/Managua"]),
    ("NL", &["Europe/Amsterdam"]), ("NO", &["Europe/Oslo"]), ("NP", &["Asia/Kathmandu"]), ("NR", &["Pacific/Nauru"]),
    ("NU", &["Pacific/Niue"]), ("NZ", &["Pacific/Auckland", "Pacific/Chatham"]), ("OM", &["Asia/Muscat"]),
    ("PA", &["America/Panama"]), ("PE", &["America/Lima"]),
    ("PF", &["Pacific/Tahiti", "Pacific/Marquesas", "Pacific/Gambier"]),
    ("PG", &["Pacific/Port_Moresby", "Pacific/Bougainville"]), ("PH", &["Asia/Manila"]), ("PK", &["Asia/Karachi"]),
    ("PL", &["Europe/Warsaw"]), ("PM", &["America/Miquelon"]), ("PR", &["America/Puerto_Rico"]), ("PS", &["Asia/Gaza"]),
    ("PT", &["Europe/Lisbon", "Atlantic/Azores"]), ("PW", &["Pacific/Palau"]), ("PY", &["America/Asuncion"]),
    ("QA", &["Asia/Qatar"]), ("RE", &["Indian/Reunion"]), ("RO", &["Europe/Bucharest"]), ("RS", &["Europe/Belgrade"]),
    ("RU", &[
        "Europe/Moscow", "Europe/Kaliningrad", "Europe/Astrakhan", "Asia/Yekaterinburg", "Asia/Omsk",
        "Asia/Novosibirsk", "Asia/Irkutsk", "Asia/Chita", "Asia/Vladivostok", "Asia/Magadan", "Asia/Kamchatka",
    ]),
    ("RW", &["Africa/Kigali"]), ("SA", &["Asia/Riyadh"]), ("SB", &["Pacific/Guadalcanal"]), ("SC", &["Indian/Mahe"]),
    ("SD", &["Africa/Khartoum"]), ("SE", &["Europe/Stockholm"]), ("SG", &["Asia/Singapore"]),
    ("SI", &["Europe/Ljubljana"]), ("SK", &["Europe/Bratislava"]), ("SL", &["Africa/Freetown"]),
    ("SM", &["Europe/San_Marino"]), ("SN", &["Africa/Dakar"]), ("SO", &["Africa/Mogadishu"]),
    ("SR", &["America/Paramaribo"]), ("SS", &["Africa/Juba"]), ("ST", &["Africa/Sao_Tome"]),
    ("SV", &["America/El_Salvador"]), ("SX", &["America/Lower_Princes"]), ("SY", &["Asia/Damascus"]),
    ("SZ", &["Africa/Mbabane"]), ("TC", &["America/Grand_Turk"]), ("TD", &["Africa/Ndjamena"]),
    ("TG", &["Africa/Lome"]), ("TH", &["Asia/Bangkok"]), ("TJ", &["Asia/Dushanbe"]), ("TL", &["Asia/Dili"]),
    ("TM", &["Asia/Ashgabat"]), ("TN", &["Africa/Tunis"]), ("TO", &["Pacific/Tongatapu"]), ("TR", &["Europe/Istanbul"]),
    ("TT", &["America/Port_of_Spain"]), ("TW", &["Asia/Taipei"]), ("TZ", &["Africa/Dar_es_Salaam"]),
    ("UA", &["Europe/Kyiv", "Europe/Simferopol"]), ("UG", &["Africa/Kampala"]),
    ("US", &[
        "America/New_York", "America/Chicago", "America/Denver", "America/Phoenix", "America/Los_Angeles",
        "America/Anchorage", "America/Adak", "Pacific/Honolulu",
    ]),
    ("UY", &["America/Montevideo"]), ("UZ", &["Asia/Tashkent"]), ("VA", &["Europe/Vatican"]),
    ("VC", &["America/St_Vincent"]), ("VE", &["America/Caracas"]), ("VG", &["America/Tortola"]),
    ("VI", &["America/St_Thomas"]), ("VN", &["Asia/Ho_Chi_Minh"]), ("VU", &["Pacific/Efate"]),
    ("WS", &["Pacific/Apia"]), ("XK", &["Europe/Belgrade"]), ("YE", &["Asia/Aden"]), ("YT", &["Indian/Mayotte"]),
    ("ZA", &["Africa/Johannesburg"]), ("ZM", &["Africa/Lusaka"]), ("ZW", &["Africa/Harare"]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_country_has_clocks_that_are_known() {
        assert!(ZONES.is_sorted_by(|a, b| a.0 < b.0));
        let zones = Zones::new();
        for (country, of_country) in country::all().zip(&zones.of_country) {
            let names = names_of(country.iso);
            assert!(!names.is_empty() && names.len() == of_country.len(), "{}: {names:?}", country.iso);
        }
        assert_eq!(ZONES.len(), country::all().count());
    }

    #[test]
    fn numbers_have_the_clocks_of_their_country() {
        let zones = Zones::new();
        for (number, count, first) in [
            ("+447700900123", 1, Some("Europe/London")),
            ("+12125550123", 8, Some("America/New_York")),
            ("+14165550123", 10, Some("America/Toronto")),
            ("+18765550123", 1, Some("America/Jamaica")),
            ("+79161234567", 11, Some("Europe/Moscow")),
            ("+77011234567", 1, Some("Asia/Almaty")),
            ("60777", 0, None),
        ] {
            let clocks = zones.of(&Address::recipient(number, None).unwrap());
            assert_eq!((clocks.len(), clocks.first().and_then(|zone| zone.iana_name())), (count, first), "{number}");
        }
    }
}
