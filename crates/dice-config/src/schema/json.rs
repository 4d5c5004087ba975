//! The schema for programs: editors that check and complete.

use serde_json::{Map, Value, json};

use super::{Key, Kind, Presence, ROUTER, Section};

/// The schema of `router.toml` as JSON Schema. A file of `rules/` has the key `rule` alone.
///
/// Source: JSON Schema, draft 2020-12.
pub fn json() -> Value {
    let mut definitions = Definitions { names: Vec::new(), bodies: Map::new() };
    let root = definitions.section(&ROUTER);
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "router.toml",
        "$defs": definitions.bodies,
    });
    if let (Some(schema), Value::Object(root)) = (schema.as_object_mut(), root) {
        schema.extend(root);
    }
    schema
}

struct Definitions {
    names: Vec<(*const Section, String)>,
    bodies: Map<String, Value>,
}

impl Definitions {
    /// A reference to a section's definition, which is made when it is first asked for.
    fn reference(&mut self, section: &'static Section, name: &str) -> Value {
        let known = self.names.iter().find(|(known, _)| std::ptr::eq(*known, section));
        let name = match known {
            Some((_, name)) => name.clone(),
            None => {
                let is_taken = |name: &str| self.names.iter().any(|(_, known)| known == name);
                let free = std::iter::once(name.to_owned()).chain((2..).map(|n| format!("{name}-{n}")));
                let name = free.into_iter().find(|name| !is_taken(name)).unwrap_or_default();
                // First the name, as a section may stand in itself.
                self.names.push((section, name.clone()));
                let body = self.section(section);
                self.bodies.insert(name.clone(), body);
                name
            }
        };
        json!({ "$ref": format!("#/$defs/{name}") })
    }

    fn section(&mut self, section: &'static Section) -> Value {
        let Some(variants) = &section.variants else {
            return self.object(section.doc, section.keys.iter().collect(), None);
        };
        let of = variants.of.iter().map(|(word, variant)| {
            let keys = section.keys.iter().chain(variant.keys).collect();
            self.object(variant.doc, keys, Some((variants.key, variants.doc, word)))
        });
        let of: Vec<Value> = of.collect();
        json!({ "type": "object", "description": section.doc, "oneOf": of })
    }

    fn object(&mut self, doc: &str, keys: Vec<&'static Key>, word: Option<(&str, &str, &str)>) -> Value {
        let mut properties = Map::new();
        let mut required: Vec<&str> = Vec::new();
        if let Some((key, doc, word)) = word {
            properties.insert(key.to_owned(), json!({ "const": word, "description": doc }));
            required.push(key);
        }
        for key in keys {
            let mut value = self.kind(&key.kind, key.name);
            if let Some(value) = value.as_object_mut() {
                value.insert("description".to_owned(), key.doc.into());
                if let Presence::Default(default) = key.presence
                    && let Some(default) = plain(default)
                {
                    value.insert("default".to_owned(), default);
                }
                if let Some(example) = plain(key.example) {
                    value.insert("examples".to_owned(), json!([example]));
                }
            }
            properties.insert(key.name.to_owned(), value);
            if key.presence == Presence::Required {
                required.push(key.name);
            }
        }
        json!({
            "type": "object",
            "description": doc,
            "properties": properties,
            "required": required,
            "additionalProperties": false,
        })
    }

    fn kind(&mut self, kind: &Kind, name: &str) -> Value {
        const DURATION: &str = r"^\s*([0-9.]+ ?(w|d|h|m|min|s|sec|ms))+\s*$";
        match kind {
            Kind::Bool => json!({ "type": "boolean" }),
            Kind::Integer(min, max) => json!({ "type": "integer", "minimum": min, "maximum": max }),
            Kind::Number(min, max) => {
                let mut value = json!({ "type": "number" });
                let bounds = [("minimum", *min, f64::MIN), ("maximum", *max, f64::MAX)];
                for (name, bound, _) in bounds.into_iter().filter(|(_, bound, none)| bound != none) {
                    value[name] = bound.into();
                }
                value
            }
            Kind::Share => json!({ "anyOf": [
                { "type": "number", "minimum": 0, "maximum": 1 },
                { "type": "string", "pattern": r"^[0-9.]+ ?%$" },
            ] }),
            Kind::Duration(..) => json!({ "type": "string", "pattern": DURATION }),
            Kind::DurationOrNever => json!({ "anyOf": [
                { "const": "never" },
                { "type": "string", "pattern": DURATION },
            ] }),
            Kind::Size(..) => json!({ "type": "string", "pattern": r"^[0-9.]+ ?([KMGT]i?B|kB|B)$" }),
            Kind::Word(words) => json!({ "enum": words }),
            Kind::Scalar => json!({ "type": ["string", "number", "boolean"] }),
            Kind::List(of) => {
                let of = self.kind(of, name);
                json!({ "anyOf": [of, { "type": "array", "items": of }] })
            }
            Kind::Map(of) => json!({ "type": "object", "additionalProperties": self.kind(of, name) }),
            Kind::Table(section) => self.reference(section, name),
            Kind::Tables(section) => json!({ "type": "array", "items": self.reference(section, name) }),
            Kind::Named(section) => {
                json!({ "type": "object", "additionalProperties": self.reference(section, name) })
            }
            _ => json!({ "type": "string" }),
        }
    }
}

/// A value as written, for programs; `None` where there is none.
fn plain(written: &str) -> Option<Value> {
    if written.is_empty() {
        return None;
    }
    let document = format!("x = {written}");
    let table: toml::Table = document.parse().ok()?;
    table.get("x").map(json_of)
}

fn json_of(value: &toml::Value) -> Value {
    match value {
        toml::Value::String(text) => text.as_str().into(),
        toml::Value::Integer(integer) => (*integer).into(),
        toml::Value::Float(float) => (*float).into(),
        toml::Value::Boolean(flag) => (*flag).into(),
        toml::Value::Datetime(at) => at.to_string().into(),
        toml::Value::Array(values) => values.iter().map(json_of).collect(),
        toml::Value::Table(table) => {
            Value::Object(table.iter().map(|(name, value)| (name.clone(), json_of(value))).collect())
        }
    }
}
