//! The 663 customers of a new database. Customer 123 is the one of the original sample; the others are made up from the
//! word lists below, always the same. Telephone numbers are those set aside for fiction (555-01xx).

use rusqlite::Connection;

use crate::{
    customer::{self, Customer, Values},
    procedures::Failure,
};

/// Where sequence `Sequences.CustomerID` starts: one after the last id below.
const FIRST_NEW_ID: i32 = 1062;

/// When all of them were entered: a fixed instant, so that every new database is the same.
const ENTERED: &str = "2026-01-01T00:00:00.0000000";

/// A chain of shops. Its head office has the first id and pays for all of them.
struct Chain {
    name: &'static str,
    site: &'static str,
    head_office: i32,
    /// Which of the towns its first shop is in: no two shops are in the same town.
    first_town: usize,
}

const CHAINS: [Chain; 2] = [
    Chain {
        name: "Tailspin Toys",
        site: "http://www.tailspintoys.com",
        head_office: 1,
        first_town: 0,
    },
    Chain {
        name: "Wingtip Toys",
        site: "http://www.wingtiptoys.com",
        head_office: 401,
        first_town: 200,
    },
];

/// Shops of each chain besides its head office.
const SHOPS: i32 = 200;

/// The ids of people, who buy for themselves and have not ordered yet.
const PEOPLE: std::ops::RangeInclusive<i32> = 801..=1061;

/// Fills an empty database.
pub(crate) fn fill(connection: &Connection) -> Result<(), Failure> {
    for chain in &CHAINS {
        for number in 0..=SHOPS {
            let id = chain.head_office + number;
            enter(connection, id, chain.head_office, shop(chain, number))?;
            order(connection, id, 1 + id % 3)?;
        }
    }
    for (number, id) in PEOPLE.enumerate() {
        enter(connection, id, id, person(id, number))?;
    }
    connection.execute(
        "INSERT INTO Sequences_CustomerID (NextValue) VALUES (?1)",
        [FIRST_NEW_ID],
    )?;
    Ok(())
}

fn enter(connection: &Connection, id: i32, bill_to: i32, values: Values) -> Result<(), Failure> {
    customer::insert(
        connection,
        &Customer {
            id,
            values,
            version: ENTERED.into(),
        },
        bill_to,
    )
}

/// Orders are there so that the customer cannot be deleted.
fn order(connection: &Connection, customer: i32, count: i32) -> rusqlite::Result<()> {
    let mut insert = connection.prepare_cached("INSERT INTO Sales_Orders (CustomerID, OrderDate) VALUES (?1, ?2)")?;
    for month in 1..=count {
        insert.execute((customer, format!("2026-{month:02}-15")))?;
    }
    Ok(())
}

/// The shop of a chain with a number; 0 is the head office.
fn shop(chain: &Chain, number: i32) -> Values {
    let id = chain.head_office + number;
    if id == 123 {
        return roe_park();
    }
    let index = usize::try_from(id).unwrap_or_default();
    let (state, area_code) = STATES[index % STATES.len()];
    let town = town(chain.first_town + usize::try_from(number).unwrap_or_default());
    let (place, page) = match number {
        0 => ("Head Office".into(), "HeadOffice"),
        _ => (format!("{town}, {state}"), town.as_str()),
    };
    [
        Some(format!("{} ({place})", chain.name)),
        Some(telephone(area_code, 2 * id)),
        Some(telephone(area_code, 2 * id + 1)),
        Some(format!("{}/{page}", chain.site)),
        Some(format!("Shop {}", 1 + id * 7 % 300)),
        Some(format!("{} {} Road", 1 + id * 13 % 1900, town_of(id))),
        Some(postal_code(id)),
    ]
}

/// The customer of the original sample.
fn roe_park() -> Values {
    [
        "Tailspin Toys (Roe Park, NY)",
        "(212) 555-0100",
        "(212) 555-0101",
        "http://www.tailspintoys.com/RoePark",
        "Shop 219",
        "528 Persson Road",
        "90775",
    ]
    .map(|value| Some(value.into()))
}

fn person(id: i32, number: usize) -> Values {
    let (_, area_code) = STATES[number % STATES.len()];
    let street = format!("{} {} Street", 1 + id * 11 % 900, town_of(id));
    // Two of three live in a flat; the others have no second line.
    let (line1, line2) = match number % 3 {
        0 => (street, None),
        _ => (format!("Unit {}", 1 + id * 5 % 60), Some(street)),
    };
    [
        Some(name(number)),
        Some(telephone(area_code, 2 * id)),
        Some(telephone(area_code, 2 * id + 1)),
        Some(format!("http://www.example.com/people/{id}")),
        Some(line1),
        line2,
        Some(postal_code(id)),
    ]
}

fn telephone(area_code: &str, number: i32) -> String {
    format!("({area_code}) 555-01{:02}", number % 100)
}

fn postal_code(id: i32) -> String {
    format!("{}", 90_000 + id * 61 % 10_000)
}

fn town_of(id: i32) -> String {
    town(usize::try_from(id * 5).unwrap_or_default())
}

/// A different town for each number below 408.
fn town(number: usize) -> String {
    let (first, second) = pair(number, TOWN_BEGINNINGS.len(), TOWN_ENDS.len());
    format!("{}{}", TOWN_BEGINNINGS[first], TOWN_ENDS[second])
}

/// A different name for each number below 261: mostly Latin letters, then other scripts.
fn name(number: usize) -> String {
    let Some(rest) = number.checked_sub(LATIN_NAMES) else {
        let (given, family) = pair(number, GIVEN_NAMES.len(), FAMILY_NAMES.len());
        return format!("{} {}", GIVEN_NAMES[given], FAMILY_NAMES[family]);
    };
    let (script, number) = (&OTHER_SCRIPTS[rest % OTHER_SCRIPTS.len()], rest / OTHER_SCRIPTS.len());
    let (first, second) = pair(number, script.0.len(), script.1.len());
    format!("{} {}", script.0[first], script.1[second])
}

/// Indexes into two lists, different for each number below the product of their lengths. Neighbours differ in both.
fn pair(number: usize, first_length: usize, second_length: usize) -> (usize, usize) {
    let (round, first) = (number / first_length, number % first_length);
    (first, (round + first) % second_length)
}

#[rustfmt::skip]
const TOWN_BEGINNINGS: [&str; 24] = [
    "Alder", "Amber", "Ash", "Birch", "Bright", "Cedar", "Clear", "Copper", "Eagle", "Elm", "Fair",
    "Fox", "Green", "Hazel", "Iron", "Lake", "Maple", "North", "Oak", "Pine", "Raven", "Silver",
    "Stone", "Willow",
];

#[rustfmt::skip]
const TOWN_ENDS: [&str; 17] = [
    "bridge", "brook", "bury", "dale", "field", "ford", "gate", "grove", "ham", "haven", "mont",
    "port", "ridge", "ton", "view", "ville", "wood",
];

/// States and one of the area codes of each.
#[rustfmt::skip]
const STATES: [(&str, &str); 23] = [
    ("AL", "205"), ("AZ", "480"), ("CA", "310"), ("CO", "303"), ("FL", "305"), ("GA", "404"),
    ("IL", "217"), ("KS", "316"), ("LA", "225"), ("ME", "207"), ("MI", "231"), ("MN", "218"),
    ("MT", "406"), ("NC", "252"), ("NM", "505"), ("NY", "315"), ("OH", "216"), ("OR", "503"),
    ("PA", "215"), ("TX", "210"), ("VT", "802"), ("WA", "206"), ("WY", "307"),
];

/// How many of the people have a name in Latin letters.
const LATIN_NAMES: usize = 211;

#[rustfmt::skip]
const GIVEN_NAMES: [&str; 24] = [
    "Aino", "Björn", "Chloé", "Dagný", "Émile", "Frode", "Grzegorz", "Hülya", "Inês", "Jürgen",
    "Kateřina", "Łucja", "Márta", "Nikolaj", "Øyvind", "Patrícia", "Rūta", "Siân", "Tuğçe", "Ülle",
    "Václav", "Winnie", "Yusuf", "Željka",
];

#[rustfmt::skip]
const FAMILY_NAMES: [&str; 23] = [
    "Aaltonen", "Bjarnadóttir", "Çetinkaya", "Dvořáček", "Eriksen", "Fernándes", "Gęsicki",
    "Håkonsen", "Ibáñez", "Jõesaar", "Kovačić", "Lefèvre", "Müllner", "Nováková", "O'Hanlon",
    "Pálffy", "Quesada", "Rõõm", "Šimkus", "Tőkés", "Vandersmissen", "Wiśniowski", "Žukauskas",
];

/// Lists of first and second words of names.
type Script = (&'static [&'static str], &'static [&'static str]);

/// One of the Japanese family names is written with a character above U+FFFF.
#[rustfmt::skip]
const OTHER_SCRIPTS: [Script; 5] = [
    (&["Айгуль", "Весела", "Дарина"], &["Гнатюк", "Зинчук", "Луценко", "Мирнюк", "Цвигун"]),
    (&["Άρης", "Λουκάς", "Φοίβος"], &["Αλεξίου", "Γεωργίου", "Δημητρίου", "Οικονόμου", "Χρήστου"]),
    (&["𠮷田", "佐々木", "星河"], &["すずらん", "千歳", "小夏", "朔", "陽向"]),
    (&["김", "박", "최"], &["가람", "누리", "별빛", "솔잎", "한결"]),
    (&["نور", "سلمى", "طارق"], &["المصري", "الحداد", "النجار", "القاسم", "الخطيب"]),
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::customer::FIELDS;

    fn all() -> Vec<(i32, Values)> {
        let shops = CHAINS
            .iter()
            .flat_map(|chain| (0..=SHOPS).map(move |number| (chain.head_office + number, shop(chain, number))));
        let people = PEOPLE.enumerate().map(|(number, id)| (id, person(id, number)));
        shops.chain(people).collect()
    }

    #[test]
    fn there_are_663_customers_in_three_ranges_of_ids() {
        let ids: Vec<i32> = all().into_iter().map(|(id, _)| id).collect();
        assert_eq!(ids, (1..=201).chain(401..=601).chain(801..=1061).collect::<Vec<_>>());
        assert_eq!(ids.len(), 663);
    }

    #[test]
    fn names_are_unique_and_values_fit() {
        let mut names = HashSet::new();
        for (id, values) in all() {
            let name = values[0].clone().unwrap_or_default();
            assert!(names.insert(name.to_lowercase()), "{id}: {name}");
            for (field, value) in FIELDS.iter().zip(values) {
                let length = value.map(|value| value.encode_utf16().count());
                assert!(length.map_or(field.nullable, |length| length <= field.max_length));
            }
        }
        assert!(names.contains("tailspin toys (head office)"));
        assert!(names.contains("wingtip toys (head office)"));
        assert!(names.iter().filter(|name| !name.is_ascii()).count() > 150);
        assert!(
            names
                .iter()
                .any(|name| name.chars().any(|character| character > '\u{ffff}'))
        );
    }
}
