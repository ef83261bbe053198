//! The texts of typed scalars: sizes (`10GiB`), durations (`1h30m`), and what `${env:NAME}` and `$$` stand for.

use super::problem::Complaint;
use std::collections::BTreeMap;
use std::time::Duration;

/// Environment variables by name.
pub type Environment = BTreeMap<String, String>;

/// The units of sizes, largest first; the binary ones are what [`size_text`] writes.
const SIZES: [(&str, u64); 9] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("KB", 1_000),
    ("B", 1),
];

/// The units of durations in milliseconds, largest first.
const DURATIONS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// Reads `10GiB`, `512 MB` or a plain number of bytes.
pub fn parse_size(text: &str) -> Result<u64, Complaint> {
    let complaint = || Complaint::new(format!("`{text}` is no size")).suggest("write it as `512MiB` or `10GiB`");
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let (number, unit) = (digits.trim_end(), &text[digits.len()..]);
    let number: u64 = number.parse().map_err(|_| complaint())?;
    let factor = match unit {
        "" => 1,
        unit => SIZES.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit)).ok_or_else(complaint)?.1,
    };
    number.checked_mul(factor).ok_or_else(complaint)
}

/// Writes a size in the largest binary unit that divides it.
pub fn size_text(bytes: u64) -> String {
    match SIZES[..4].iter().find(|(_, factor)| bytes > 0 && bytes.is_multiple_of(*factor)) {
        Some((unit, factor)) => format!("{}{unit}", bytes / factor),
        None => bytes.to_string(),
    }
}

/// Reads `90s`, `5m`, `1h30m`, `2d`, `500ms`; a plain `0` too.
pub fn parse_duration(text: &str) -> Result<Duration, Complaint> {
    let complaint = || {
        let suggestion = match text.parse::<u64>() {
            Ok(number) => format!("write it with its unit: `{number}s`, `{number}m` or `{number}h`"),
            Err(_) => "write it as `90s`, `5m` or `1h30m`".to_owned(),
        };
        Complaint::new(format!("`{text}` is no duration")).suggest(suggestion)
    };
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let (mut rest, mut total) = (text, 0u64);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(complaint)?;
        let number: u64 = rest[..digits].parse().map_err(|_| complaint())?;
        rest = &rest[digits..];
        let letters = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        let factor = DURATIONS.iter().find(|(unit, _)| *unit == &rest[..letters]).ok_or_else(complaint)?.1;
        total = number.checked_mul(factor).and_then(|part| total.checked_add(part)).ok_or_else(complaint)?;
        rest = &rest[letters..];
    }
    if text.is_empty() { Err(complaint()) } else { Ok(Duration::from_millis(total)) }
}

/// Writes a duration in the largest unit that divides it.
pub fn duration_text(duration: Duration) -> String {
    let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    match DURATIONS.iter().find(|(_, factor)| millis.is_multiple_of(*factor)) {
        Some((unit, factor)) if millis > 0 => format!("{}{unit}", millis / factor),
        _ => "0s".to_owned(),
    }
}

/// True where a text holds `${env:…}` or `$$`, so that what is written is not what it stands for.
pub fn is_interpolated(text: &str) -> bool {
    text.contains("$$") || text.contains("${env:")
}

/// The name in a text that is `${env:NAME}` and nothing else.
pub fn whole_reference(text: &str) -> Option<&str> {
    let name = text.strip_prefix("${env:")?.strip_suffix('}')?;
    is_variable(name).then_some(name)
}

/// Puts in what `${env:NAME}` and `${env:NAME:-default}` stand for; `$$` is a literal `$`, any other `$` is left alone.
pub fn interpolate(text: &str, environment: &Environment) -> Result<String, Complaint> {
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some(after) = rest.strip_prefix("$$") {
            out.push('$');
            rest = after;
        } else if let Some(after) = rest.strip_prefix("${env:") {
            let end = after.find('}').ok_or_else(|| Complaint::new("`${env:` without its `}`"))?;
            out.push_str(&value_of(&after[..end], environment)?);
            rest = &after[end + 1..];
        } else {
            out.push('$');
            rest = &rest[1..];
        }
    }
    out.push_str(rest);
    Ok(out)
}

/// The text that [`interpolate`] turns back into `text`.
pub fn escape(text: &str) -> String {
    if text.contains("$$") || text.contains("${") { text.replace('$', "$$") } else { text.to_owned() }
}

/// The variables that a written text names.
pub fn variables(text: &str) -> Vec<&str> {
    let named = |part: &'_ str| part.find([':', '}']).unwrap_or(part.len());
    let unescaped = text.split("$$").flat_map(|part| part.split("${env:").skip(1));
    unescaped.map(|part| &part[..named(part)]).filter(|name| is_variable(name)).collect()
}

/// True for what may be the name of an environment variable.
pub fn is_variable(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

fn value_of(inside: &str, environment: &Environment) -> Result<String, Complaint> {
    let (name, default) = match inside.split_once(":-") {
        Some((name, default)) => (name, Some(default)),
        None => (inside, None),
    };
    if !is_variable(name) {
        return Err(Complaint::new(format!("`{name}` is no name of an environment variable")));
    }
    let value = match (environment.get(name), default) {
        (Some(value), _) => value.as_str(),
        (None, Some(default)) => default,
        (None, None) => {
            return Err(Complaint::new(format!("the environment variable {name} is not set"))
                .suggest(format!("set it, or give a default: `${{env:{name}:-…}}`")));
        }
    };
    if value.chars().any(char::is_control) {
        return Err(Complaint::new(format!("the environment variable {name} holds a control character")));
    }
    Ok(value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_and_written() {
        for (text, bytes) in [("10GiB", 10 << 30), ("0", 0), ("512 MiB", 512 << 20), ("1kb", 1000), ("7", 7), ("7B", 7)]
        {
            assert_eq!(parse_size(text), Ok(bytes), "{text}");
        }
        for text in ["", "GiB", "1.5GiB", "-1", "10 Gigs", "99999999TiB"] {
            assert!(parse_size(text).is_err(), "{text}");
        }
        assert_eq!(
            (size_text(256 << 20).as_str(), size_text(1001).as_str(), size_text(0).as_str()),
            ("256MiB", "1001", "0")
        );
    }

    #[test]
    fn durations_are_read_and_written() {
        for (text, seconds) in [("5m", 300), ("1h30m", 5400), ("90s", 90), ("2d", 172_800), ("0", 0)] {
            assert_eq!(parse_duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        assert_eq!(parse_duration("250ms"), Ok(Duration::from_millis(250)));
        for text in ["", "5", "m", "5 m", "5x", "1h30", "99999999999999d"] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
        assert_eq!(
            parse_duration("300").unwrap_err().suggestion.unwrap(),
            "write it with its unit: `300s`, `300m` or `300h`"
        );
        for text in ["5m", "90s", "2d", "250ms", "0s"] {
            assert_eq!(duration_text(parse_duration(text).unwrap()), text);
        }
    }

    #[test]
    fn variables_are_put_in_after_parsing_and_dollars_can_be_escaped() {
        let environment = Environment::from([("HOST".to_owned(), "a.example".to_owned())]);
        let put = |text: &str| interpolate(text, &environment);
        assert_eq!(put("https://${env:HOST}:${env:PORT:-9000}"), Ok("https://a.example:9000".to_owned()));
        assert_eq!(put("$$5 $x ${iam:username} $2b$12$abc"), Ok("$5 $x ${iam:username} $2b$12$abc".to_owned()));
        assert_eq!(put("${env:PORT:-}"), Ok(String::new()));
        assert!(put("${env:PORT}").unwrap_err().message.contains("PORT is not set"));
        assert!(put("${env:HOST").is_err() && put("${env:}").is_err() && put("${env:A B}").is_err());
        assert_eq!(variables("a${env:HOST}:${env:PORT:-9}$${env:NOT}"), ["HOST", "PORT"]);
        assert_eq!(whole_reference("${env:HOST}"), Some("HOST"));
        assert_eq!(whole_reference("${env:HOST:-x}"), None);
    }

    #[test]
    fn an_escaped_text_comes_back() {
        for text in ["plain", "$2b$12$abc", "pa$$word", "${env:HOME}", "$$$", "a$", "$${x}"] {
            assert_eq!(interpolate(&escape(text), &Environment::new()).as_deref(), Ok(text));
        }
    }
}
