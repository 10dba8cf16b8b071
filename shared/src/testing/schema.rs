//! Holds a value against the part of JSON Schema that our published schemas use.

use serde_json::Value;

/// Returns everything about `value` that `schema` does not allow.
#[must_use]
pub fn hold(value: &Value, schema: &Value) -> Vec<String> {
    let mut found = Vec::new();
    check(value, (schema, schema), "$", &mut found);
    found
}

fn check(value: &Value, (schema, root): (&Value, &Value), place: &str, found: &mut Vec<String>) {
    if let Some(name) = schema["$ref"].as_str() {
        let named = &root["$defs"][name.trim_start_matches("#/$defs/")];
        return check(value, (named, root), place, found);
    }
    let kinds: Vec<&str> = match (schema["type"].as_str(), schema["type"].as_array()) {
        (Some(one), _) => vec![one],
        (None, Some(some)) => some.iter().filter_map(Value::as_str).collect(),
        (None, None) => vec![kind(value)],
    };
    if !kinds.contains(&kind(value)) {
        found.push(format!("{place}: is {}, not {kinds:?}", kind(value)));
        return;
    }
    if !schema["const"].is_null() && schema["const"] != *value {
        found.push(format!("{place}: is not {}", schema["const"]));
    }
    if let Some(known) = schema["enum"].as_array()
        && !known.contains(value)
    {
        found.push(format!("{place}: {value} is not one of {known:?}"));
    }
    let hash = |text: &str| text.len() == 64 && text.chars().all(|c| c.is_ascii_hexdigit());
    if schema["pattern"].is_string() && !value.as_str().is_some_and(hash) {
        found.push(format!("{place}: {value} is no SHA-256"));
    }
    if let Value::Object(members) = value {
        let required = schema["required"].as_array().into_iter().flatten();
        let lacking = required
            .filter_map(Value::as_str)
            .filter(|name| !members.contains_key(*name));
        found.extend(lacking.map(|name| format!("{place}: lacks {name}")));
        for (name, member) in members {
            match schema["properties"].get(name) {
                Some(own) => check(member, (own, root), &format!("{place}.{name}"), found),
                None if schema["additionalProperties"] == Value::Bool(false) => {
                    found.push(format!("{place}: has {name} too"));
                }
                None => {}
            }
        }
    }
    if let (Value::Array(items), Some(own)) = (value, schema.get("items")) {
        for (index, item) in items.iter().enumerate() {
            check(item, (own, root), &format!("{place}[{index}]"), found);
        }
    }
}

const fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
