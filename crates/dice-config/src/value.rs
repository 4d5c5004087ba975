//! Values of a configuration that have been checked one by one.

use std::collections::BTreeMap;

use dice_route::condition::{Condition, Field};
use dice_route::config::{Matcher, Measure};
use jiff::civil::{Date, DateTime, Time};

use crate::schema::Section;
use crate::text::Place;

/// A value and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    pub(crate) value: Value,
    pub(crate) place: Place,
}

/// A value, by its kind in the schema.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Bool(bool),
    Integer(i64),
    Number(f64),
    /// Milliseconds; `None` is never.
    Duration(Option<i64>),
    Text(String),
    Condition(Condition),
    Field(Field),
    Measure(Measure),
    Pattern(regex::Regex),
    Matcher(Matcher),
    Time(Time),
    Days(Date, Date),
    Holiday(Date, String),
    DateTime(DateTime),
    List(Vec<Item>),
    Map(Vec<(String, Item)>),
    Table(Table),
    Named(Vec<(String, Table)>),
}

/// A table, its values by key. Defaults are in it.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    pub(crate) section: &'static Section,
    pub(crate) items: BTreeMap<&'static str, Item>,
    /// Keys that were written and not taken from a default.
    pub(crate) written: Vec<&'static str>,
    pub(crate) place: Place,
    /// What it is called in problems.
    pub(crate) path: String,
    /// Keys with which something is wrong; the empty name for keys that are missing or not known.
    pub(crate) unsound: Vec<&'static str>,
}

impl Table {
    fn value(&self, key: &str) -> Option<&Value> {
        debug_assert!(self.has_key(key), "{key} is not in the schema of {}", self.path);
        self.items.get(key).map(|item| &item.value)
    }

    fn has_key(&self, key: &str) -> bool {
        let variants = self.section.variants.iter();
        let variants = variants.flat_map(|variants| variants.of.iter().flat_map(|(_, section)| section.keys));
        let is_word = self.section.variants.as_ref().is_some_and(|variants| variants.key == key);
        is_word || self.section.keys.iter().chain(variants).any(|known| known.name == key)
    }

    /// Nothing is wrong with any value in it.
    pub(crate) fn is_sound(&self) -> bool {
        self.unsound.is_empty()
    }

    /// Nothing is wrong with any value in it but those of this key.
    pub(crate) fn is_sound_beside(&self, key: &str) -> bool {
        self.unsound.iter().all(|unsound| *unsound == key)
    }

    /// Where a key's value stands; the table where it is not written.
    pub(crate) fn place_of(&self, key: &str) -> &Place {
        self.items.get(key).map_or(&self.place, |item| &item.place)
    }

    /// What a key is called in problems.
    pub(crate) fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    pub(crate) fn is_written(&self, key: &str) -> bool {
        self.written.contains(&key)
    }

    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        match self.value(key)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A text that is there where nothing was wrong.
    pub(crate) fn word(&self, key: &str) -> &str {
        self.text(key).unwrap_or_default()
    }

    pub(crate) fn owned(&self, key: &str) -> Option<String> {
        self.text(key).map(str::to_owned)
    }

    pub(crate) fn flag(&self, key: &str) -> bool {
        self.maybe_flag(key).unwrap_or_default()
    }

    pub(crate) fn maybe_flag(&self, key: &str) -> Option<bool> {
        match self.value(key)? {
            Value::Bool(flag) => Some(*flag),
            _ => None,
        }
    }

    pub(crate) fn maybe_integer(&self, key: &str) -> Option<i64> {
        match self.value(key)? {
            Value::Integer(integer) => Some(*integer),
            _ => None,
        }
    }

    /// A whole number that fits: the schema bounds it.
    pub(crate) fn count(&self, key: &str) -> u32 {
        self.maybe_count(key).unwrap_or_default()
    }

    pub(crate) fn maybe_count(&self, key: &str) -> Option<u32> {
        self.maybe_integer(key).and_then(|integer| u32::try_from(integer).ok())
    }

    pub(crate) fn size(&self, key: &str) -> usize {
        self.maybe_integer(key).and_then(|integer| usize::try_from(integer).ok()).unwrap_or_default()
    }

    pub(crate) fn maybe_number(&self, key: &str) -> Option<f64> {
        match self.value(key)? {
            Value::Number(number) => Some(*number),
            _ => None,
        }
    }

    pub(crate) fn number(&self, key: &str) -> f64 {
        self.maybe_number(key).unwrap_or_default()
    }

    /// Milliseconds.
    pub(crate) fn duration(&self, key: &str) -> i64 {
        self.maybe_duration(key).unwrap_or_default()
    }

    /// Milliseconds; `None` where there is none or it is never.
    pub(crate) fn maybe_duration(&self, key: &str) -> Option<i64> {
        match self.value(key)? {
            Value::Duration(duration) => *duration,
            _ => None,
        }
    }

    pub(crate) fn condition(&self, key: &str) -> Option<Condition> {
        match self.value(key)? {
            Value::Condition(condition) => Some(condition.clone()),
            _ => None,
        }
    }

    pub(crate) fn field(&self, key: &str) -> Option<Field> {
        match self.value(key)? {
            Value::Field(field) => Some(field.clone()),
            _ => None,
        }
    }

    pub(crate) fn measure(&self, key: &str) -> Option<Measure> {
        match self.value(key)? {
            Value::Measure(measure) => Some(measure.clone()),
            _ => None,
        }
    }

    pub(crate) fn pattern(&self, key: &str) -> Option<regex::Regex> {
        match self.value(key)? {
            Value::Pattern(pattern) => Some(pattern.clone()),
            _ => None,
        }
    }

    pub(crate) fn time(&self, key: &str) -> Option<Time> {
        match self.value(key)? {
            Value::Time(time) => Some(*time),
            _ => None,
        }
    }

    pub(crate) fn date_time(&self, key: &str) -> Option<DateTime> {
        match self.value(key)? {
            Value::DateTime(at) => Some(*at),
            _ => None,
        }
    }

    /// The elements of a list, of any kind; empty where there is none.
    pub(crate) fn list(&self, key: &str) -> &[Item] {
        match self.value(key) {
            Some(Value::List(items)) => items,
            _ => &[],
        }
    }

    pub(crate) fn texts(&self, key: &str) -> Vec<String> {
        self.list(key).iter().filter_map(Item::text).map(str::to_owned).collect()
    }

    pub(crate) fn fields(&self, key: &str) -> Vec<Field> {
        let fields = self.list(key).iter().filter_map(|item| match &item.value {
            Value::Field(field) => Some(field.clone()),
            _ => None,
        });
        fields.collect()
    }

    pub(crate) fn matchers(&self, key: &str) -> Vec<Matcher> {
        let matchers = self.list(key).iter().filter_map(|item| match &item.value {
            Value::Matcher(matcher) => Some(matcher.clone()),
            _ => None,
        });
        matchers.collect()
    }

    /// The names and texts of a map.
    pub(crate) fn map(&self, key: &str) -> &[(String, Item)] {
        match self.value(key) {
            Some(Value::Map(entries)) => entries,
            _ => &[],
        }
    }

    pub(crate) fn text_map(&self, key: &str) -> BTreeMap<String, String> {
        let entries = self.map(key).iter();
        entries.filter_map(|(name, item)| Some((name.clone(), item.text()?.to_owned()))).collect()
    }

    pub(crate) fn table(&self, key: &str) -> Option<&Table> {
        match self.value(key)? {
            Value::Table(table) => Some(table),
            _ => None,
        }
    }

    /// The tables of an array of them.
    pub(crate) fn tables(&self, key: &str) -> impl Iterator<Item = &Table> {
        self.list(key).iter().filter_map(|item| match &item.value {
            Value::Table(table) => Some(table),
            _ => None,
        })
    }

    /// The tables that have names, with them.
    pub(crate) fn named(&self, key: &str) -> &[(String, Table)] {
        match self.value(key) {
            Some(Value::Named(tables)) => tables,
            _ => &[],
        }
    }
}

impl Item {
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The texts of a list.
    pub(crate) fn texts(&self) -> Vec<String> {
        match &self.value {
            Value::List(items) => items.iter().filter_map(Item::text).map(str::to_owned).collect(),
            _ => Vec::new(),
        }
    }
}
