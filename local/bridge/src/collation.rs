//! The collation of customer names: SQL Server's `Latin1_General_100_CI_AS`, as far as tests of equality can tell.

use std::{char::ToLowercase, cmp::Ordering, iter::FlatMap, str::Chars};

/// Its name in schema.sql.
pub(crate) const NAME: &str = "Latin1_General_100_CI_AS";

/// Case-insensitive (by the Unicode lower-case mapping), accent-sensitive, trailing spaces ignored. The order is that
/// of code points, not of a dictionary. (SQL Server also ignores width and the kind of kana; this does not.)
pub(crate) fn compare(left: &str, right: &str) -> Ordering {
    key(left).cmp(key(right))
}

fn key(text: &str) -> FlatMap<Chars<'_>, ToLowercase, fn(char) -> ToLowercase> {
    text.trim_end_matches(' ').chars().flat_map(char::to_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_trailing_spaces_do_not_matter_accents_do() {
        for (left, right) in [
            ("", "  "),
            ("Wingtip Toys", "wINGTIP tOYS  "),
            ("ÅNGSTRÖM", "ångström"),
            ("ΝΙΚΗ", "νικη"),
        ] {
            assert_eq!(compare(left, right), Ordering::Equal, "{left:?} {right:?}");
        }
        for (left, right) in [("resume", "résumé"), (" a", "a"), ("a b", "ab"), ("a", "a\0")] {
            assert_ne!(compare(left, right), Ordering::Equal, "{left:?} {right:?}");
        }
        assert_eq!(compare("Zebra", "ant"), Ordering::Greater);
    }
}
