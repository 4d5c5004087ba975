//! What is written where: every rule and route with its place, and the whole configuration as it is in force.

use std::collections::BTreeMap;

use dice_route::address::public;
use serde_json::{Map, Value as Json};

use crate::text::Desk;
use crate::value::{Item, Table, Value};

/// What the document is called that is managed by the API, where places are told.
pub const MANAGED: &str = "managed";

/// A rule or a route at the top, as it is written.
#[derive(Debug, Clone, PartialEq)]
pub struct Definition {
    /// Which of the two.
    pub kind: DefinitionKind,
    /// Its id.
    pub id: String,
    /// The file, as the caller calls it; [`MANAGED`] for what is managed by the API.
    pub file: String,
    /// The line there, from 1.
    pub line: usize,
    /// What is written, as JSON.
    pub body: Json,
}

/// What is defined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DefinitionKind {
    /// A rule.
    Rule,
    /// A route at the top.
    Route,
}

/// What stands in these tables. Those without an id are left out: they are told to be wrong.
pub(crate) fn definitions(desk: &Desk, kind: DefinitionKind, tables: &[&Table]) -> Vec<Definition> {
    let key = match kind {
        DefinitionKind::Rule => "rule",
        DefinitionKind::Route => "route",
    };
    let mut texts: BTreeMap<usize, BTreeMap<String, Json>> = BTreeMap::new();
    let mut found = Vec::new();
    for table in tables {
        let Some(id) = table.text("id") else { continue };
        let bodies = texts.entry(table.place.text).or_insert_with(|| {
            let text: toml::Table = desk.content(table.place.text).parse().unwrap_or_default();
            let each = text.get(key).and_then(toml::Value::as_array).cloned().unwrap_or_default();
            let named = each.into_iter().filter_map(|body| {
                let id = body.get("id")?.as_str()?.to_owned();
                Some((id, json_of(body)))
            });
            named.collect()
        });
        let body = bodies.get(id).cloned().unwrap_or_default();
        let (file, line) = desk.place(&table.place);
        found.push(Definition { kind, id: id.to_owned(), file, line, body });
    }
    found
}

fn json_of(value: toml::Value) -> Json {
    match value {
        toml::Value::String(text) => Json::String(text),
        toml::Value::Integer(integer) => integer.into(),
        toml::Value::Float(float) => float.into(),
        toml::Value::Boolean(flag) => Json::Bool(flag),
        toml::Value::Datetime(at) => Json::String(at.to_string()),
        toml::Value::Array(values) => values.into_iter().map(json_of).collect(),
        toml::Value::Table(table) => {
            Json::Object(table.into_iter().map(|(key, value)| (key, json_of(value))).collect())
        }
    }
}

/// A table with its defaults. Keys that only name a secret are kept, addresses lose what may be one.
pub(crate) fn effective(desk: &Desk, table: &Table) -> Map<String, Json> {
    let each = table.items.iter().map(|(key, item)| {
        let value = match (*key, &item.value) {
            ("url", Value::Text(url)) => Json::String(public(url)),
            _ => value(desk, item),
        };
        ((*key).to_owned(), value)
    });
    each.collect()
}

fn value(desk: &Desk, item: &Item) -> Json {
    match &item.value {
        Value::Bool(flag) => Json::Bool(*flag),
        Value::Integer(integer) => (*integer).into(),
        Value::Number(number) => (*number).into(),
        Value::Duration(None) => "never".into(),
        Value::Duration(Some(ms)) => duration(*ms).into(),
        Value::Text(text) => text.as_str().into(),
        Value::Condition(condition) => condition.to_string().into(),
        Value::Field(field) => field.name().into(),
        Value::Measure(_) => desk.written(&item.place).trim_matches(['"', '\'']).into(),
        Value::Pattern(pattern) => pattern.as_str().into(),
        Value::Matcher(matcher) => dice_route::manager::written(matcher).into(),
        Value::Time(time) => time.to_string().into(),
        Value::Days(first, last) => format!("{first}..{last}").into(),
        Value::Holiday(date, name) => format!("{date} {name}").trim_end().into(),
        Value::DateTime(at) => at.to_string().into(),
        Value::List(items) => items.iter().map(|item| value(desk, item)).collect(),
        Value::Map(entries) => {
            Json::Object(entries.iter().map(|(name, item)| (name.clone(), value(desk, item))).collect())
        }
        Value::Table(table) => Json::Object(effective(desk, table)),
        Value::Named(tables) => {
            let tables =
                tables.iter().map(|(name, table)| (name.clone(), Json::Object(effective(desk, table))));
            Json::Object(tables.collect())
        }
    }
}

/// A duration as it may be written: in the greatest unit that it is a multiple of.
fn duration(ms: i64) -> String {
    let units = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000)];
    match units.iter().find(|(_, unit)| ms != 0 && ms % unit == 0) {
        Some((name, unit)) => format!("{}{name}", ms / unit),
        None if ms == 0 => "0s".to_owned(),
        None => format!("{ms}ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::duration;

    #[test]
    fn durations_are_told_as_they_are_written() {
        assert_eq!([0, 250, 1_500, 90_000, 7_200_000].map(duration), ["0s", "250ms", "1500ms", "90s", "2h"]);
    }
}
