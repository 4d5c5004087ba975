//! The document itself.

use serde::{Deserialize, Serialize};
use toml::{Table, Value};
use utoipa::ToSchema;

/// What the document has many of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A rule: `[[rule]]`.
    Rule,
    /// A route at the top: `[[route]]`.
    Route,
}

impl Kind {
    /// The word used in files and output.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Rule => "rule",
            Kind::Route => "route",
        }
    }
}

/// A TOML document of rules and routes; in the order of their ids, so that one content is one text.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Document {
    rules: Vec<Table>,
    routes: Vec<Table>,
}

impl Document {
    /// Reads a document as [`Document::text`] writes it.
    ///
    /// # Errors
    ///
    /// When it is not TOML, or has something else than rules and routes with ids; in words.
    pub fn parse(text: &str) -> Result<Document, String> {
        let table: Table = text.parse().map_err(|error: toml::de::Error| error.to_string())?;
        let mut document = Document::default();
        for (key, value) in table {
            let kind = match key.as_str() {
                "rule" => Kind::Rule,
                "route" => Kind::Route,
                other => return Err(format!("wanted rules and routes, found {other}")),
            };
            let Value::Array(each) = value else {
                return Err(format!("wanted [[{key}]], found {}", value.type_str()));
            };
            for body in each {
                let Value::Table(body) = body else {
                    return Err(format!("wanted a table in [[{key}]], found {}", body.type_str()));
                };
                let id = body
                    .get("id")
                    .and_then(Value::as_str)
                    .ok_or_else(|| format!("wanted an id in [[{key}]]"))?;
                let id = id.to_owned();
                document.put(kind, &id, body);
            }
        }
        Ok(document)
    }

    /// The document as TOML; empty where nothing is in it.
    pub fn text(&self) -> String {
        let mut table = Table::new();
        for kind in [Kind::Rule, Kind::Route] {
            let each = self.of(kind);
            if !each.is_empty() {
                let each = each.iter().cloned().map(Value::Table).collect();
                table.insert(kind.as_str().to_owned(), Value::Array(each));
            }
        }
        toml::to_string_pretty(&table).expect("tables of TOML values are TOML")
    }

    /// What it has of a kind, in the order of the ids.
    pub fn of(&self, kind: Kind) -> &[Table] {
        match kind {
            Kind::Rule => &self.rules,
            Kind::Route => &self.routes,
        }
    }

    fn of_mut(&mut self, kind: Kind) -> &mut Vec<Table> {
        match kind {
            Kind::Rule => &mut self.rules,
            Kind::Route => &mut self.routes,
        }
    }

    /// The body of that id.
    pub fn get(&self, kind: Kind, id: &str) -> Option<&Table> {
        let at = place(self.of(kind), id).ok()?;
        self.of(kind).get(at)
    }

    /// Puts a body in, under `id` whatever it says itself. Gives whether there was one.
    pub fn put(&mut self, kind: Kind, id: &str, mut body: Table) -> bool {
        body.insert("id".to_owned(), Value::String(id.to_owned()));
        let each = self.of_mut(kind);
        match place(each, id) {
            Ok(at) => {
                each[at] = body;
                true
            }
            Err(at) => {
                each.insert(at, body);
                false
            }
        }
    }

    /// Takes a body out. Gives whether there was one.
    pub fn remove(&mut self, kind: Kind, id: &str) -> bool {
        let each = self.of_mut(kind);
        place(each, id).map(|at| each.remove(at)).is_ok()
    }
}

/// Where the body of that id is, or would be.
fn place(each: &[Table], id: &str) -> Result<usize, usize> {
    each.binary_search_by(|body| body.get("id").and_then(Value::as_str).unwrap_or_default().cmp(id))
}

/// What JSON says, as TOML; in words what TOML has no way to say, with its place.
pub(crate) fn toml_of(value: serde_json::Value, at: &str) -> Result<Value, String> {
    use serde_json::Value as Json;
    Ok(match value {
        Json::Null => return Err(format!("{at}: wanted a value, found null; leave the key out instead")),
        Json::Bool(is) => Value::Boolean(is),
        Json::String(text) => Value::String(text),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => Value::Integer(whole),
            (None, Some(figure)) if !number.is_u64() && figure.is_finite() => Value::Float(figure),
            _ => return Err(format!("{at}: wanted a number of 64 bits, found {number}")),
        },
        Json::Array(each) => {
            let each = each.into_iter().enumerate();
            Value::Array(
                each.map(|(n, value)| toml_of(value, &format!("{at}[{n}]"))).collect::<Result<_, _>>()?,
            )
        }
        Json::Object(fields) => {
            let mut table = Table::new();
            for (key, value) in fields {
                let at = if at.is_empty() { key.clone() } else { format!("{at}.{key}") };
                table.insert(key, toml_of(value, &at)?);
            }
            Value::Table(table)
        }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use toml::Value;

    use super::{Document, Kind, toml_of};

    fn body(value: serde_json::Value) -> toml::Table {
        let Value::Table(table) = toml_of(value, "").unwrap() else { panic!("an object is a table") };
        table
    }

    #[test]
    fn one_content_is_one_text() {
        let mut one = Document::default();
        assert_eq!(one.text(), "");
        let burst = || body(json!({"type": "frequency", "count": 20, "labels": {"team": "pay"}}));
        assert!(!one.put(Kind::Rule, "b", burst()));
        assert!(!one.put(Kind::Rule, "a", body(json!({"type": "any", "count": 0.5}))));
        assert!(!one.put(Kind::Route, "a", body(json!({"routes": [{"id": "a-nights"}]}))));
        let mut other = Document::parse(&one.text()).unwrap();
        assert_eq!(one, other);
        assert_eq!(one.text(), other.text());
        assert!(other.put(Kind::Rule, "b", burst()));
        assert_eq!(one.text(), other.text());
        assert!(other.remove(Kind::Rule, "b"));
        assert!(!other.remove(Kind::Rule, "b"));
        assert!(other.get(Kind::Rule, "b").is_none());
        assert!(other.get(Kind::Route, "a").is_some());
    }

    #[test]
    fn anything_else_is_none() {
        for text in [
            "[receivers.x]\n",
            "rule = 1\n",
            "rule = [1]\n",
            "[[rule]]\ntype = 1\n",
            "x",
            "[[rule]]\nid = 1\n",
        ] {
            assert!(Document::parse(text).is_err(), "{text}");
        }
        for value in [json!({"a": [1, null]}), json!({"a": u64::MAX})] {
            assert!(toml_of(value, "").unwrap_err().starts_with("a"));
        }
    }
}
