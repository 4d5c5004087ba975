//! The tables are true: every key is read, every default and example is valid, and every reference shows it.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::{Key, Kind, Presence, ROUTER, Section, json, markdown, print};
use crate::check::{check, default};
use crate::text::Desk;
use crate::value::{Table, Value};

const FULL: &str = include_str!("../../tests/full.toml");

/// Every section once, with what it is called.
fn sections() -> Vec<(&'static str, &'static Section)> {
    let mut found: Vec<(&'static str, &'static Section)> = vec![("router", &ROUTER)];
    let mut at = 0;
    while let Some((_, section)) = found.get(at).copied() {
        at += 1;
        let variants = section.variants.iter().flat_map(|variants| variants.of);
        let below = section.keys.iter().filter_map(|key| match key.kind {
            Kind::Table(section) | Kind::Tables(section) | Kind::Named(section) => Some((key.name, section)),
            _ => None,
        });
        for (name, section) in variants.copied().chain(below) {
            if !found.iter().any(|(_, known)| std::ptr::eq(*known, section)) {
                found.push((name, section));
            }
        }
    }
    found
}

fn keys() -> Vec<(&'static str, &'static Key)> {
    let sections = sections();
    sections.iter().flat_map(|(name, section)| section.keys.iter().map(|key| (*name, key))).collect()
}

/// Adds where in memory the keys lie that are written in a table and below it.
fn written(table: &Table, found: &mut BTreeSet<*const Key>) {
    let variants = table.section.variants.iter().flat_map(|variants| {
        variants
            .of
            .iter()
            .filter(|(word, _)| table.text(variants.key) == Some(word))
            .map(|(_, section)| *section)
    });
    for key in table.section.keys.iter().chain(variants.flat_map(|section| section.keys)) {
        if table.is_written(key.name) {
            found.insert(std::ptr::from_ref(key));
        }
    }
    for item in table.items.values() {
        match &item.value {
            Value::Table(table) => written(table, found),
            Value::List(items) => {
                for item in items {
                    if let Value::Table(table) = &item.value {
                        written(table, found);
                    }
                }
            }
            Value::Named(tables) => tables.iter().for_each(|(_, table)| written(table, found)),
            _ => {}
        }
    }
}

#[test]
fn every_key_is_tried_by_the_full_configuration() {
    let mut desk = Desk::default();
    let text = desk.add("full.toml", FULL.to_owned());
    let table = check(&mut desk, text, &ROUTER);
    let mut found = BTreeSet::new();
    written(&table, &mut found);
    let missing: Vec<String> = keys()
        .into_iter()
        .filter(|(_, key)| !found.contains(&std::ptr::from_ref(*key)))
        .map(|(section, key)| format!("{section}.{}", key.name))
        .collect();
    assert_eq!(missing, ["rule.tests"; 0]);
}

#[test]
fn defaults_and_examples_are_valid() {
    for (section, key) in keys() {
        if let Presence::Default(written) = key.presence {
            assert!(default(&key.kind, written).is_some(), "{section}.{}: default {written}", key.name);
        }
        let is_table = matches!(key.kind, Kind::Table(_) | Kind::Tables(_) | Kind::Named(_));
        assert!(is_table || !key.shown().is_empty(), "{section}.{} has no example", key.name);
        if !key.example.is_empty() {
            assert!(default(&key.kind, key.example).is_some(), "{section}.{}: {}", key.name, key.example);
        }
        assert!(!key.doc.ends_with('.') && !key.doc.is_empty(), "{section}.{}: {}", key.name, key.doc);
    }
}

#[test]
fn the_references_show_every_key() {
    let (text, table) = (print(), markdown());
    for (section, key) in keys() {
        assert!(text.contains(&format!("\n  {:<20}", key.name)), "{section}.{}", key.name);
        assert!(table.contains(&format!("\n| `{}` | ", key.name)), "{section}.{}", key.name);
    }
    assert!(text.contains("[[rule]] type = \"frequency\"\n  At least so many events in so long.\n"));
    assert!(text.lines().chain(table.lines()).all(|line| line.trim_end() == line));
}

/// Every `$ref` below a value.
fn references<'j>(value: &'j Json, found: &mut Vec<&'j str>) {
    match value {
        Json::Object(entries) => {
            found.extend(entries.get("$ref").and_then(Json::as_str));
            entries.values().for_each(|value| references(value, found));
        }
        Json::Array(values) => values.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[test]
fn the_schema_for_programs_refers_to_what_it_defines() {
    let schema = json();
    let mut found = Vec::new();
    references(&schema, &mut found);
    assert!(found.len() > 30);
    for reference in found {
        assert!(schema.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
    }
    let frequency = &schema["$defs"]["rule"]["oneOf"][1];
    assert_eq!(frequency["properties"]["type"]["const"], "frequency");
    assert_eq!(frequency["required"], serde_json::json!(["type", "id", "count", "within"]));
    assert_eq!(schema["properties"]["zone"]["default"], "UTC");
}
