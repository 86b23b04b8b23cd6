//! How is a field read out of Meta's JSON, where anything may be missing or of another type?

use serde_json::Value;

/// The text at `key`; `None` also for an empty one.
pub(super) fn text<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    object.get(key)?.as_str().filter(|it| !it.is_empty())
}

/// The text or whole number at `key`: ids and times come as either.
pub(super) fn id(object: &Value, key: &str) -> Option<String> {
    match object.get(key)? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) if !number.is_f64() => Some(number.to_string()),
        Value::String(_)
        | Value::Number(_)
        | Value::Null
        | Value::Bool(_)
        | Value::Array(_)
        | Value::Object(_) => None,
    }
}

/// The whole number at `key`, also where it is written as a text.
pub(super) fn whole(object: &Value, key: &str) -> Option<i64> {
    id(object, key)?.parse().ok()
}

/// The elements of the list at `key`; none where there is no list.
pub(super) fn list<'a>(object: &'a Value, key: &str) -> &'a [Value] {
    let found = object.get(key).and_then(Value::as_array);
    found.map_or(&[], Vec::as_slice)
}
