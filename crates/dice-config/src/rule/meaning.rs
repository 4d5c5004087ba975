//! A name of what a rule means.

use serde_json::{Map, Value as Json};

use crate::check;
use crate::schema::{Key, Presence, Section};
use crate::value::{Table, Value};

/// Keys that change what is told, where to, how often, or how much is kept, and not what the rule means.
const ASIDE: &[&str] = &[
    "id",
    "enabled",
    "max_keys",
    "update_every",
    "severity",
    "labels",
    "summary",
    "to",
    "policy",
    "fingerprint",
    "tests",
    "max_terms",
    "max_partial",
    "max_pending",
];

/// The same for tables that mean the same: spelling, order of keys, and defaults that are written or not make
/// no difference.
pub(crate) fn revision(table: &Table) -> u64 {
    let meaning = Json::Object(table_meaning(table, ASIDE)).to_string();
    let name = dice_route::name(&[b"rule 1", meaning.as_bytes()]);
    u64::from_str_radix(&name[..16], 16).unwrap_or_default()
}

fn table_meaning(table: &Table, aside: &[&str]) -> Map<String, Json> {
    let mut meaning = Map::new();
    for (name, item) in &table.items {
        let is_default = || key(table, name).is_some_and(|key| is_default(key, &item.value));
        if !aside.contains(name) && !is_default() {
            meaning.insert((*name).to_owned(), value_meaning(&item.value));
        }
    }
    meaning
}

fn key(table: &Table, name: &str) -> Option<&'static Key> {
    let section: &'static Section = table.section;
    let word = section.variants.as_ref().and_then(|variants| table.text(variants.key));
    let variant = section.variants.as_ref().and_then(|variants| {
        variants.of.iter().find(|(known, _)| Some(*known) == word).map(|(_, section)| *section)
    });
    let keys = section.keys.iter().chain(variant.iter().flat_map(|section| section.keys));
    keys.into_iter().find(|key| key.name == name)
}

fn is_default(key: &Key, value: &Value) -> bool {
    match key.presence {
        Presence::Default(default) => {
            let default = check::default(&key.kind, default);
            default.is_some_and(|default| value_meaning(&default) == value_meaning(value))
        }
        _ => false,
    }
}

fn value_meaning(value: &Value) -> Json {
    match value {
        Value::Bool(flag) => (*flag).into(),
        Value::Integer(integer) => (*integer).into(),
        Value::Number(number) => (*number).into(),
        Value::Duration(duration) => (*duration).into(),
        Value::Text(text) => text.as_str().into(),
        Value::Condition(condition) => condition.to_string().into(),
        Value::Field(field) => field.name().into(),
        Value::Measure(measure) => {
            let field = measure.field.as_ref().map(|field| field.name().to_owned());
            let aggregate = match measure.aggregate {
                dice_route::config::Aggregate::Count => "count".to_owned(),
                dice_route::config::Aggregate::Sum => "sum".to_owned(),
                dice_route::config::Aggregate::Avg => "avg".to_owned(),
                dice_route::config::Aggregate::Min => "min".to_owned(),
                dice_route::config::Aggregate::Max => "max".to_owned(),
                dice_route::config::Aggregate::Quantile(quantile) => quantile.to_string(),
            };
            vec![Some(aggregate), field].into()
        }
        Value::Pattern(pattern) => pattern.as_str().into(),
        Value::Matcher(matcher) => serde_json::to_value(matcher).unwrap_or_default(),
        Value::Time(time) => time.to_string().into(),
        Value::Days(first, last) => vec![first.to_string(), last.to_string()].into(),
        Value::Holiday(date, name) => vec![date.to_string(), name.clone()].into(),
        Value::DateTime(at) => at.to_string().into(),
        Value::List(items) => items.iter().map(|item| value_meaning(&item.value)).collect(),
        Value::Map(entries) => {
            let entries = entries.iter().map(|(name, item)| (name.clone(), value_meaning(&item.value)));
            Json::Object(entries.collect())
        }
        Value::Table(table) => Json::Object(table_meaning(table, &[])),
        Value::Named(tables) => {
            let tables =
                tables.iter().map(|(name, table)| (name.clone(), Json::Object(table_meaning(table, &[]))));
            Json::Object(tables.collect())
        }
    }
}
