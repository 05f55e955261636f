//! The JSON schema of scenario files, for editors: made from the declarations that the reader checks by.

use serde_json::{Map, Value, json};

use super::expect::Scale;
use super::file::declare::{Key, Kind, Need, Section};
use super::file::sections::SCENARIO;
use super::file::wanted;
use super::units::{Size, Span};

/// The schema, of draft 2020-12.
pub fn schema() -> Value {
    let mut schema = section(&SCENARIO);
    if let Value::Object(map) = &mut schema {
        map.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
        map.insert("title".to_owned(), json!("A swarmproof scenario"));
    }
    schema
}

fn section(section: &Section) -> Value {
    let properties: Map<String, Value> =
        section.keys.iter().map(|key| (key.name.to_owned(), property(key))).collect();
    let required: Vec<&str> =
        section.keys.iter().filter(|key| matches!(key.need, Need::Required)).map(|key| key.name).collect();
    let mut schema = json!({
        "type": "object",
        "description": section.doc,
        "properties": properties,
        "additionalProperties": false,
    });
    if let Value::Object(map) = &mut schema {
        if !required.is_empty() {
            map.insert("required".to_owned(), json!(required));
        }
        if !section.one_of.is_empty() {
            let each = section.one_of.iter().map(|name| json!({ "required": [name] }));
            map.insert("oneOf".to_owned(), Value::Array(each.collect()));
        }
    }
    schema
}

fn property(key: &Key) -> Value {
    let mut schema = kind(&key.kind);
    if let Value::Object(map) = &mut schema {
        // A range of units is no matter of a pattern, so it is said in words.
        let words = match key.kind {
            Kind::Table(_) | Kind::Tables(_) | Kind::Choice(_) | Kind::Choices(_) | Kind::Flag => {
                key.doc.to_owned()
            }
            _ => format!("{} It is {}.", key.doc, wanted(&key.kind)),
        };
        map.insert("description".to_owned(), json!(words));
        if let Need::Default(text) = key.need
            && let Some(value) = default(text)
        {
            map.insert("default".to_owned(), value);
        }
    }
    schema
}

/// A default in TOML's words, in JSON's.
fn default(text: &str) -> Option<Value> {
    let table: toml::Table = toml::from_str(&format!("it = {text}")).ok()?;
    serde_json::to_value(table.get("it")?).ok()
}

const SPAN: &str = r"^[0-9]+(\.[0-9]{1,9})?(h|m|s|ms|us|ns)$";
const RATE: &str = r"^[0-9.eE+-]+/(s|m|h)$";
const SIZE: &str = r"^[0-9]+(\.[0-9]{1,9})?(B|KiB|MiB|GiB)$";
const SEEDS: &str = r"^ *[0-9]+(\.\.[0-9]+)? *(, *[0-9]+(\.\.[0-9]+)? *)*$";

fn text(pattern: &str, example: &str) -> Value {
    json!({ "type": "string", "pattern": pattern, "examples": [example] })
}

fn kind(kind: &Kind) -> Value {
    match kind {
        Kind::Text { most } => json!({ "type": "string", "minLength": 1, "maxLength": most }),
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::Count { least, most: u64::MAX } => json!({ "type": "integer", "minimum": least }),
        Kind::Count { least, most } => json!({ "type": "integer", "minimum": least, "maximum": most }),
        Kind::CountOr { least, most, words } => {
            let number = json!({ "type": "integer", "minimum": least, "maximum": most });
            json!({ "oneOf": [number, { "enum": words }] })
        }
        Kind::Positive { most } => json!({ "type": "number", "exclusiveMinimum": 0, "maximum": most }),
        Kind::Share => json!({ "type": "number", "minimum": 0, "maximum": 1 }),
        Kind::Span { least, .. } => {
            text(SPAN, &Span((*least).max(core::time::Duration::from_secs(1))).to_string())
        }
        Kind::Rate { .. } => text(RATE, "2/s"),
        Kind::Size { least, .. } => text(SIZE, &Size((*least).max(65_536)).to_string()),
        Kind::Seeds => {
            let number = json!({ "type": "integer", "minimum": 0 });
            json!({ "oneOf": [text(SEEDS, "0..20"), number, { "type": "array", "items": number, "minItems": 1 }] })
        }
        Kind::Choice(words) => json!({ "enum": words }),
        Kind::Choices(words) => json!({ "type": "array", "items": { "enum": words }, "minItems": 1 }),
        Kind::Counts { below } => {
            json!({ "type": "array", "items": { "type": "integer", "minimum": 0, "exclusiveMaximum": below } })
        }
        Kind::Delays => {
            json!({ "type": "array", "minItems": 1, "items": { "type": "array", "minItems": 1, "items": text(SPAN, "40ms") } })
        }
        Kind::Compare(scale) => comparison(*scale),
        Kind::Table(inner) => section(inner),
        Kind::Tables(inner) => json!({ "type": "array", "items": section(inner) }),
    }
}

fn comparison(scale: Scale) -> Value {
    let (amount, example) = match scale {
        Scale::Share => (r"[0-9]+(\.[0-9]+)?%?", ">= 0.99"),
        Scale::Span => (r"[0-9]+(\.[0-9]{1,9})?(h|m|s|ms|us|ns)", "<= 2s"),
        Scale::Number => (r"[0-9]+(\.[0-9]+)?", "== 0"),
        Scale::Count => (r"[0-9]+(\.[0-9]+)?%?", ">= 90%"),
    };
    text(&format!("^ *(>=|<=|==|>|<) *{amount} *$"), example)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Follows a file's values through the schema: each key must be one of its properties.
    fn known(schema: &Value, value: &toml::Value, at: &str) {
        match value {
            toml::Value::Table(table) => {
                for (key, value) in table {
                    let property = &schema["properties"][key];
                    assert!(property.is_object(), "{key} at {at} is not in the schema");
                    known(property, value, &format!("{at}.{key}"));
                }
            }
            toml::Value::Array(items) => {
                for item in items {
                    known(&schema["items"], item, at);
                }
            }
            toml::Value::String(text) => {
                let words = &schema["enum"];
                assert!(
                    words.is_null() || words.as_array().unwrap().contains(&json!(text)),
                    "{text} at {at}"
                );
            }
            _ => {}
        }
    }

    fn described(schema: &Value, at: &str, count: &mut usize) {
        if let Some(properties) = schema["properties"].as_object() {
            for (key, property) in properties {
                let words = property["description"].as_str().unwrap_or_default();
                assert!(words.ends_with('.'), "{key} at {at} is not described: {words:?}");
                *count += 1;
                described(property, &format!("{at}.{key}"), count);
            }
        }
        if schema["items"].is_object() {
            described(&schema["items"], at, count);
        }
    }

    #[test]
    fn everything_is_described() {
        let mut count = 0;
        described(&schema(), "", &mut count);
        assert!(count > 150, "{count}");
        assert_eq!(schema()["$schema"], "https://json-schema.org/draft/2020-12/schema");
        assert_eq!(schema()["properties"]["network"]["properties"]["profile"]["default"], "internet");
        assert_eq!(schema()["required"], json!(["description", "duration", "network", "catalogue"]));
        let workload = &schema()["properties"]["workload"]["items"];
        assert_eq!(workload["oneOf"].as_array().map(Vec::len), Some(7));
    }

    #[test]
    fn the_shipped_scenarios_have_only_keys_that_are_in_it() {
        let schema = schema();
        let mut files = Vec::new();
        gather(std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios")), &mut files);
        assert!(files.len() >= 16, "{}", files.len());
        for file in files {
            let table: toml::Table = toml::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
            known(&schema, &toml::Value::Table(table), &file.display().to_string());
        }
    }

    #[test]
    #[should_panic(expected = "perrs")]
    fn a_key_that_is_not_in_it_would_show() {
        let table: toml::Table = toml::from_str("network = { perrs = 1 }").unwrap();
        known(&schema(), &toml::Value::Table(table), "");
    }

    fn gather(folder: &std::path::Path, files: &mut Vec<std::path::PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                gather(&path, files);
            } else if path.extension().is_some_and(|extension| extension == "toml") {
                files.push(path);
            }
        }
    }
}
