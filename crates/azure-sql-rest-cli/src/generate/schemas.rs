//! The names of the schemas in `openapi.json`.

use std::collections::BTreeSet;

use serde_json::Value;

/// The part of `openapi.json` that every API has.
pub(super) const BASE: &str = include_str!("base.json");

/// The names of the schemas that every API has.
pub(crate) fn of_every_api() -> BTreeSet<String> {
    let base: Value = serde_json::from_str(BASE).unwrap_or_default();
    base["components"]["schemas"].as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect()
}

/// The names of an entity's schemas.
pub(crate) fn of_entity(name: &str) -> impl Iterator<Item = String> {
    let title = title(name);
    ["", "Rows", "Patch", "Replace", "New", "Page", "Deleted"].into_iter().map(move |end| format!("{title}{end}"))
}

/// `color_name` as `ColorName`, as in the names of schemas.
pub(super) fn title(name: &str) -> String {
    let words = name.split('_').filter_map(|word| word.split_at_checked(1));
    words.map(|(first, rest)| first.to_uppercase() + rest).collect()
}
