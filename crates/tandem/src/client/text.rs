//! How do JSON answers become short text for people?

use serde_json::Value;

/// A value as plain words: text without quotes, nothing for null.
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => one_line(text),
        Value::Null => String::new(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

/// Text on one line, so that no message can disturb the terminal.
pub(crate) fn one_line(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

/// At most `most` characters of it.
pub(crate) fn clipped(text: &str, most: usize) -> String {
    let text = one_line(text);
    if text.chars().count() <= most {
        return text;
    }
    let mut short: String = text.chars().take(most.saturating_sub(1)).collect();
    short.push('…');
    short
}

/// JSON as people read it.
pub(crate) fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_else(|_| value.to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nothing_disturbs_the_terminal() {
        assert_eq!(plain(&json!("a\u{1b}[31mb\nc")), "a [31mb c");
        assert_eq!(plain(&json!(null)), "");
        assert_eq!(plain(&json!(5)), "5");
    }

    #[test]
    fn long_texts_are_clipped_by_characters() {
        assert_eq!(clipped("țară mea", 5), "țară…");
        assert_eq!(clipped("țară", 4), "țară");
    }
}
