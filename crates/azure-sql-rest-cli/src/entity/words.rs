//! Names of the API, made of names of the database.

/// `OrderDetails` as `order_detail`, and `SSOUsers` as `sso_user`: the name of one row.
pub(super) fn singular(table: &str) -> String {
    let table = ascii(table);
    let mut name = String::new();
    let mut before = None;
    let mut characters = table.chars().peekable();
    while let Some(character) = characters.next() {
        let is_last_capital = characters.peek().is_some_and(char::is_ascii_lowercase);
        let begins = character.is_ascii_uppercase()
            && before.is_some_and(|before: char| !before.is_ascii_uppercase() || is_last_capital);
        let is_word = character.is_ascii_alphanumeric();
        if (begins || !is_word) && !name.is_empty() && !name.ends_with('_') {
            name.push('_');
        }
        name.extend(is_word.then(|| character.to_ascii_lowercase()));
        before = Some(character);
    }
    let name = name.trim_end_matches('_');
    let es = ["ses", "xes", "zes", "ches", "shes"];
    match name {
        _ if name.ends_with("ies") && name.len() > 4 => format!("{}y", &name[..name.len() - 3]),
        _ if es.iter().any(|end| name.ends_with(end)) && name.len() > 4 => name[..name.len() - 2].to_owned(),
        _ if name.ends_with('s') && !name.ends_with("ss") && !name.ends_with("us") => name[..name.len() - 1].to_owned(),
        _ => name.to_owned(),
    }
}

/// The plural of an English noun, as far as its end tells.
pub(super) fn english_plural(name: &str) -> String {
    let ends = |ends: &[&str]| ends.iter().any(|end| name.ends_with(end));
    match name.strip_suffix('y') {
        Some(stem) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{stem}ies"),
        _ if ends(&["s", "x", "z", "ch", "sh"]) => format!("{name}es"),
        _ => format!("{name}s"),
    }
}

/// The member's name for a column: its own, or one made of ASCII letters and digits.
pub(super) fn derived(name: &str) -> String {
    let mut member = String::new();
    let mut begins = false;
    for character in ascii(name).chars() {
        if character.is_ascii_alphanumeric() || character == '_' {
            member.push(if begins { character.to_ascii_uppercase() } else { character });
            begins = false;
        } else {
            begins = !member.is_empty();
        }
    }
    match member.chars().next() {
        Some(first) if first.is_ascii_digit() => format!("_{member}"),
        Some(_) => member,
        None => "Column".to_owned(),
    }
}

/// A name in which ASCII letters stand for letters of Western Europe.
fn ascii(name: &str) -> String {
    let mut letters = String::new();
    for character in name.chars() {
        letters.push_str(match character {
            'ä' => "ae",
            'ö' => "oe",
            'ü' => "ue",
            'Ä' => "Ae",
            'Ö' => "Oe",
            'Ü' => "Ue",
            'ß' => "ss",
            'à' | 'á' | 'â' | 'ã' | 'å' => "a",
            'é' | 'è' | 'ê' | 'ë' => "e",
            'ç' => "c",
            'ñ' => "n",
            'ø' | 'ó' | 'ô' | 'õ' => "o",
            other => {
                letters.push(other);
                continue;
            }
        });
    }
    letters
}

/// A member that begins with a small letter, by the rule of .NET's JsonNamingPolicy.CamelCase. Of several capital letters, the last is the
/// beginning of the next word.
pub(super) fn camel(member: &str) -> String {
    let capitals = member.chars().take_while(char::is_ascii_uppercase).count();
    let small = if capitals > 1 && capitals < member.len() { capitals - 1 } else { capitals };
    format!("{}{}", member[..small].to_ascii_lowercase(), &member[small..])
}
