//! From TOML to checked values: the schema applied to a text.

use std::collections::BTreeMap;

use dice_route::condition::{Condition, Field, Malformed, Quantity, Unit, nearest};
use dice_route::config::{Aggregate, Matcher, MatcherOp, Measure};
use jiff::civil::{Date, DateTime, Time};
use regex::RegexBuilder;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::schema::{Key, Kind, Presence, Section};
use crate::text::{Complaint, Desk, Place, offset_in_string, shown};
use crate::value::{Item, Table, Value};
use crate::variable::is_no_variable;

/// The longest text that is read.
const MAX_TEXT_BYTES: usize = 4 << 20;
/// Tables inside each other.
const MAX_DEPTH: usize = 16;
/// Of one regular expression, compiled.
const MAX_PATTERN_BYTES: usize = 1 << 20;

/// What a text says by this section; what is wrong with it is told. An unreadable text says nothing.
pub(crate) fn check(desk: &mut Desk, text: usize, section: &'static Section) -> Table {
    let content = desk.content(text).to_owned();
    let empty = DeTable::new();
    let start = Place { text, at: 0..0 };
    if content.len() > MAX_TEXT_BYTES {
        let complaint = Complaint::wanted(
            format!("a file of at most {MAX_TEXT_BYTES} bytes"),
            format!("{} bytes", content.len()),
        );
        desk.complain(&start, "", complaint);
        return Checker { desk, text, fixed: None, depth: 0 }.table(section, &empty, start, String::new());
    }
    let (table, errors) = DeTable::parse_recoverable(&content);
    // What is left of a broken text would only lead to complaints about what is missing.
    let table = if errors.is_empty() { table.get_ref() } else { &empty };
    for error in &errors {
        let at = error.span().unwrap_or_default();
        let message = error.message().lines().next().unwrap_or_default().to_owned();
        desk.complain(&Place { text, at }, "", Complaint::new(format!("not TOML: {message}")));
    }
    let mut checked =
        Checker { desk, text, fixed: None, depth: 0 }.table(section, table, start, String::new());
    if !errors.is_empty() {
        checked.unsound.push("");
    }
    checked
}

/// A default as a value: what a key means that is not there.
pub(crate) fn default(kind: &Kind, default: &str) -> Option<Value> {
    let mut desk = Desk::default();
    let text = desk.add("default", String::new());
    let place = Place { text, at: 0..0 };
    let mut checker = Checker { desk: &mut desk, text, fixed: Some(place), depth: 0 };
    let item = checker.default(kind, default, "")?;
    (desk.n_problems() == 0).then_some(item.value)
}

/// One measure as written: `count`, `avg(vars.took)`.
fn measure(text: &str) -> Result<Measure, Complaint> {
    let wrong = || Complaint::wanted(Kind::Measure.wanted(), format!("`{}`", shown(text)));
    let text = text.trim();
    if text == "count" {
        return Ok(Measure { aggregate: Aggregate::Count, field: None });
    }
    let (name, rest) = text.split_once('(').ok_or_else(wrong)?;
    let field = rest.strip_suffix(')').ok_or_else(wrong)?;
    let aggregate = match name.trim() {
        "count" => Aggregate::Count,
        "sum" => Aggregate::Sum,
        "avg" | "mean" => Aggregate::Avg,
        "min" => Aggregate::Min,
        "max" => Aggregate::Max,
        "median" => Aggregate::Quantile(0.5),
        name => {
            let percent: f64 =
                name.strip_prefix('p').and_then(|digits| digits.parse().ok()).ok_or_else(wrong)?;
            if !(0.0..=100.0).contains(&percent) {
                return Err(wrong());
            }
            // `p99.9` is 0.999 and not a little more.
            Aggregate::Quantile((percent * 1e7).round() / 1e9)
        }
    };
    let field = Field::parse(field.trim()).map_err(|malformed| told(&malformed))?;
    Ok(Measure { aggregate, field: Some(field) })
}

/// One label compared: `severity =~ "high|critical"`; the value needs no quotes.
pub(crate) fn matcher(text: &str) -> Result<Matcher, Complaint> {
    const OPS: [(&str, MatcherOp); 4] = [
        ("=~", MatcherOp::Matches),
        ("!~", MatcherOp::MatchesNot),
        ("!=", MatcherOp::NotEqual),
        ("=", MatcherOp::Equal),
    ];
    let wrong = || Complaint::wanted(Kind::Matcher.wanted(), format!("`{}`", shown(text)));
    let is_in_label = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | ':');
    let text = text.trim();
    let end = text.find(|c| !is_in_label(c)).unwrap_or(text.len());
    let (label, rest) = text.split_at(end);
    let rest = rest.trim_start();
    if label.is_empty() {
        return Err(wrong());
    }
    if rest.starts_with("==") {
        return Err(wrong().hint("write `=`"));
    }
    let (op, value) =
        OPS.iter().find_map(|(sign, op)| Some((*op, rest.strip_prefix(sign)?.trim()))).ok_or_else(wrong)?;
    let inner = ['"', '\''].into_iter().find_map(|quote| value.strip_prefix(quote)?.strip_suffix(quote));
    let value = match inner {
        Some(inner) => inner,
        None if value.contains(['"', '\'']) || value.chars().any(char::is_whitespace) => return Err(wrong()),
        None => value,
    };
    if matches!(op, MatcherOp::Matches | MatcherOp::MatchesNot) {
        pattern(&format!("^(?:{value})$"))?;
    }
    Ok(Matcher { label: label.to_owned(), op, value: value.to_owned() })
}

/// A regular expression within bounds.
pub(crate) fn pattern(text: &str) -> Result<regex::Regex, Complaint> {
    let built =
        RegexBuilder::new(text).size_limit(MAX_PATTERN_BYTES).dfa_size_limit(MAX_PATTERN_BYTES).build();
    built.map_err(|error| {
        let found = match error {
            regex::Error::CompiledTooBig(limit) => format!("one that needs more than {limit} bytes"),
            error => {
                let text = error.to_string();
                text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
            }
        };
        Complaint::wanted("a regular expression", found)
    })
}

fn told(malformed: &Malformed) -> Complaint {
    Complaint::wanted(&malformed.wanted, &malformed.found).hint_if(malformed.hint.clone())
}

struct Checker<'d> {
    desk: &'d mut Desk,
    text: usize,
    /// Where defaults are said to stand.
    fixed: Option<Place>,
    depth: usize,
}

impl Checker<'_> {
    fn place<T>(&self, spanned: &Spanned<T>) -> Place {
        self.fixed.clone().unwrap_or_else(|| Place { text: self.text, at: spanned.span() })
    }

    fn table(
        &mut self,
        section: &'static Section,
        entries: &DeTable<'_>,
        place: Place,
        path: String,
    ) -> Table {
        let mut checked = Table {
            section,
            items: BTreeMap::new(),
            written: Vec::new(),
            place: place.clone(),
            path,
            unsound: Vec::new(),
        };
        let (variant, others) = self.variant(section, entries, &mut checked);
        let keys: Vec<&'static Key> =
            section.keys.iter().chain(variant.iter().flat_map(|variant| variant.keys)).collect();
        for (name, value) in entries {
            let written = name.get_ref().as_ref();
            if section.variants.as_ref().is_some_and(|variants| variants.key == written) {
                continue;
            }
            match keys.iter().find(|key| key.name == written) {
                Some(key) => {
                    let path = checked.path_of(key.name);
                    let n_problems = self.desk.n_problems();
                    if let Some(item) = self.item(&key.kind, value, &path) {
                        checked.items.insert(key.name, item);
                        checked.written.push(key.name);
                    }
                    if self.desk.n_problems() > n_problems {
                        checked.unsound.push(key.name);
                    }
                }
                // Without a valid type any key of any type may be meant.
                None if variant.is_none() && others.iter().any(|(_, other)| has(other, written)) => {}
                None => {
                    let place = self.place(name);
                    let path = checked.path.clone();
                    self.desk.complain(&place, &path, unknown(written, &keys, &others));
                    checked.unsound.push("");
                }
            }
        }
        for key in keys {
            if checked.items.contains_key(key.name) || entries.contains_key(key.name) {
                continue;
            }
            match key.presence {
                Presence::Optional => {}
                Presence::Default(default) => {
                    let before = self.fixed.replace(place.clone());
                    if let Some(item) = self.default(&key.kind, default, &checked.path_of(key.name)) {
                        checked.items.insert(key.name, item);
                    }
                    self.fixed = before;
                }
                Presence::Required => {
                    let complaint = Complaint::wanted(format!("`{}`", key.name), "no such key")
                        .hint(format!("write {} = {}", key.name, key.shown()));
                    let path = checked.path.clone();
                    self.desk.complain(&place, &path, complaint);
                    checked.unsound.push("");
                }
            }
        }
        checked
    }

    /// The section that the table's word adds, and all sections that words might add.
    fn variant(
        &mut self,
        section: &'static Section,
        entries: &DeTable<'_>,
        checked: &mut Table,
    ) -> (Option<&'static Section>, Vec<(&'static str, &'static Section)>) {
        let Some(variants) = &section.variants else { return (None, Vec::new()) };
        let words = || variants.of.iter().map(|(word, _)| *word);
        let path = checked.path_of(variants.key);
        let wanted = || format!("one of {}", words().collect::<Vec<_>>().join(", "));
        let Some(value) = entries.get(variants.key) else {
            let complaint = Complaint::wanted(format!("`{}`: {}", variants.key, wanted()), "no such key");
            self.desk.complain(&checked.place, &checked.path, complaint);
            checked.unsound.push("");
            return (None, variants.of.to_vec());
        };
        let place = self.place(value);
        let word = value.get_ref().as_str().unwrap_or_default();
        match variants.of.iter().find(|(known, _)| *known == word) {
            Some((word, section)) => {
                checked.items.insert(variants.key, Item { value: Value::Text((*word).to_owned()), place });
                checked.written.push(variants.key);
                (Some(section), variants.of.to_vec())
            }
            None => {
                let complaint = Complaint::wanted(wanted(), self.found(value))
                    .hint_if(nearest(word, words()).map(|word| format!("did you mean \"{word}\"?")));
                self.desk.complain(&place, &path, complaint);
                checked.unsound.push(variants.key);
                (None, variants.of.to_vec())
            }
        }
    }

    /// A default, which stands where `fixed` says.
    fn default(&mut self, kind: &Kind, default: &str, path: &str) -> Option<Item> {
        let document = format!("x = {default}");
        let (table, _) = DeTable::parse_recoverable(&document);
        self.item(kind, table.get_ref().get("x")?, path)
    }

    /// What was written, as problems show it.
    fn found(&self, value: &Spanned<DeValue<'_>>) -> String {
        match value.get_ref() {
            DeValue::Array(_) => "a list".to_owned(),
            DeValue::Table(_) => "a table".to_owned(),
            _ => {
                let written = shown(self.desk.written(&self.place(value)));
                if written.is_empty() { "nothing".to_owned() } else { written }
            }
        }
    }

    fn refuse(&mut self, value: &Spanned<DeValue<'_>>, path: &str, complaint: Complaint) {
        let place = self.place(value);
        self.desk.complain(&place, path, complaint);
    }

    fn item(&mut self, kind: &Kind, value: &Spanned<DeValue<'_>>, path: &str) -> Option<Item> {
        if self.depth == MAX_DEPTH {
            let complaint = Complaint::wanted(format!("at most {MAX_DEPTH} levels"), "more");
            self.refuse(value, path, complaint);
            return None;
        }
        self.depth += 1;
        let checked = self.value(kind, value, path);
        self.depth -= 1;
        match checked {
            Ok(checked) => Some(Item { value: checked, place: self.place(value) }),
            Err(Some(complaint)) => {
                self.refuse(value, path, complaint);
                None
            }
            // Told already, at its own place.
            Err(None) => None,
        }
    }

    fn value(
        &mut self,
        kind: &Kind,
        value: &Spanned<DeValue<'_>>,
        path: &str,
    ) -> Result<Value, Option<Complaint>> {
        let found = value.get_ref();
        // A date or time may stand without quotes.
        let unquoted = found.as_datetime().map(ToString::to_string);
        let text = found.as_str().or(unquoted.as_deref());
        let wrong = || Complaint::wanted(kind.wanted(), self.found(value));
        let text_or_wrong = || found.as_str().ok_or_else(wrong);
        Ok(match kind {
            Kind::Text => Value::Text(text_or_wrong()?.to_owned()),
            Kind::Scalar => match found {
                DeValue::String(text) => Value::Text(text.to_string()),
                DeValue::Integer(integer) => Value::Text(integer.as_str().to_owned()),
                DeValue::Float(float) => Value::Text(float.as_str().to_owned()),
                DeValue::Boolean(flag) => Value::Text(flag.to_string()),
                _ => return Err(Some(wrong())),
            },
            Kind::Name => {
                let name = text_or_wrong()?;
                // Who writes the secret itself there must not find it in a log.
                if path.ends_with("_env") && is_no_variable(name) {
                    let wanted = "the name of an environment variable";
                    return Err(Some(Complaint::wanted(wanted, "what cannot be one").hint(
                        "write the variable's name; the secret itself has no place in a configuration",
                    )));
                }
                if name.is_empty() || name.chars().any(|c| c.is_whitespace() || c.is_control()) {
                    return Err(Some(wrong()));
                }
                Value::Text(name.to_owned())
            }
            Kind::Bool => Value::Bool(found.as_bool().ok_or_else(wrong)?),
            Kind::Integer(min, max) => {
                let integer = integer(found).filter(|integer| (*min..=*max).contains(integer));
                Value::Integer(integer.ok_or_else(wrong)?)
            }
            Kind::Number(min, max) => {
                let number = number(found).filter(|number| (*min..=*max).contains(number));
                Value::Number(number.ok_or_else(wrong)?)
            }
            Kind::Share => {
                let percent = found.as_str().and_then(Quantity::parse);
                let percent =
                    percent.filter(|share| share.unit == Unit::Percent).map(|share| share.number / 100.0);
                let share = percent.or_else(|| number(found)).filter(|share| (0.0..=1.0).contains(share));
                Value::Number(share.ok_or_else(wrong)?)
            }
            Kind::Duration(min, max) => Value::Duration(Some(self.duration(value, *min, *max)?)),
            Kind::DurationOrNever if found.as_str() == Some("never") => Value::Duration(None),
            Kind::DurationOrNever => Value::Duration(Some(self.duration(value, 1_000, i64::MAX)?)),
            Kind::Size(min, max) => {
                let size = found.as_str().and_then(Quantity::parse);
                let size = size.filter(|size| size.unit == Unit::Bytes && size.number.fract() == 0.0);
                let bounds = |size: f64| (*min as f64..=*max as f64).contains(&size);
                let size =
                    size.ok_or_else(|| wrong().hint_if(integer(found).map(|n| format!("write \"{n}B\""))))?;
                if !bounds(size.number) {
                    let bound = |number: i64| Quantity { number: number as f64, unit: Unit::Bytes };
                    let wanted = format!("a size from {} to {}", bound(*min), bound(*max));
                    return Err(Some(Complaint::wanted(wanted, self.found(value))));
                }
                Value::Integer(size.number as i64)
            }
            Kind::Word(words) => {
                let word = text_or_wrong()?;
                match words.iter().find(|known| **known == word) {
                    Some(word) => Value::Text((*word).to_owned()),
                    None => {
                        let near = nearest(word, words.iter().copied());
                        return Err(Some(
                            wrong().hint_if(near.map(|word| format!("did you mean \"{word}\"?"))),
                        ));
                    }
                }
            }
            Kind::Condition => {
                let condition = Condition::parse(text_or_wrong()?);
                Value::Condition(condition.map_err(|malformed| self.inside(value, path, &malformed))?)
            }
            Kind::Field => {
                let field = Field::parse(text_or_wrong()?);
                Value::Field(field.map_err(|malformed| told(&malformed))?)
            }
            Kind::Measure => Value::Measure(measure(text_or_wrong()?)?),
            Kind::Pattern => Value::Pattern(pattern(text_or_wrong()?)?),
            Kind::Matcher => Value::Matcher(matcher(text_or_wrong()?)?),
            Kind::Zone => {
                let zone = dice_route::calendar::Zone::named(text_or_wrong()?).ok_or_else(wrong)?;
                Value::Text(zone.name().to_owned())
            }
            Kind::Time => {
                let is_plain = |text: &&str| text.chars().all(|c| c.is_ascii_digit() || c == ':' || c == '.');
                let time = text.filter(is_plain).and_then(|text| text.parse::<Time>().ok());
                Value::Time(time.ok_or_else(wrong)?)
            }
            Kind::Holiday => {
                let (date, name) =
                    text.map(|text| text.split_once(' ').unwrap_or((text, ""))).ok_or_else(wrong)?;
                Value::Holiday(date_of(date).ok_or_else(wrong)?, name.trim().to_owned())
            }
            Kind::Days => {
                let (first, last) =
                    text.map(|text| text.split_once("..").unwrap_or((text, text))).ok_or_else(wrong)?;
                let (first, last) = date_of(first.trim()).zip(date_of(last.trim())).ok_or_else(wrong)?;
                if last < first {
                    return Err(Some(wrong().hint("the first date comes first")));
                }
                Value::Days(first, last)
            }
            Kind::DateTime => {
                // An offset would be ignored: what is on the wall is meant.
                let is_local = |text: &&str| {
                    text.split_once(['T', ' '])
                        .is_some_and(|(_, time)| !time.contains(['+', '-', 'Z', 'z', '[']))
                };
                let at = text.filter(is_local).and_then(|text| text.parse::<DateTime>().ok());
                Value::DateTime(at.ok_or_else(wrong)?)
            }
            Kind::Address => {
                let address = text_or_wrong()?;
                let parsed = address.parse::<std::net::SocketAddr>();
                if parsed.is_err() {
                    let port = address.strip_prefix(':').filter(|port| port.parse::<u16>().is_ok());
                    let hint =
                        port.map(|port| format!("write \"0.0.0.0:{port}\" to listen on every interface"));
                    return Err(Some(wrong().hint_if(hint)));
                }
                Value::Text(address.to_owned())
            }
            Kind::Week => {
                let week = text_or_wrong()?;
                week.parse::<dice_route::calendar::WorkingWeek>().map_err(|_| wrong())?;
                Value::Text(week.to_owned())
            }
            Kind::Hours => {
                let hours = text_or_wrong()?;
                hours.parse::<dice_route::calendar::WorkingHours>().map_err(|_| wrong())?;
                Value::Text(hours.to_owned())
            }
            Kind::Recipient => Value::Text(recipient(text_or_wrong()?).ok_or_else(wrong)?),
            Kind::Person => {
                let person = recipient(text_or_wrong()?).filter(|name| name.contains('@') && !is_team(name));
                Value::Text(person.ok_or_else(wrong)?)
            }
            Kind::List(of) => match found {
                DeValue::Array(array) => {
                    Value::List(array.iter().filter_map(|value| self.item(of, value, path)).collect())
                }
                _ => match self.item_of_list(of, value, path)? {
                    Some(item) => Value::List(vec![item]),
                    None => return Err(None),
                },
            },
            Kind::Map(of) => {
                let table = found.as_table().ok_or_else(wrong)?;
                let entries = table.iter().filter_map(|(name, value)| {
                    let name = name.get_ref().to_string();
                    let item = self.item(of, value, &format!("{path}.{}", shown(&name)))?;
                    Some((name, item))
                });
                Value::Map(entries.collect())
            }
            Kind::Table(section) => {
                let table = found.as_table().ok_or_else(wrong)?;
                Value::Table(self.table(section, table, self.place(value), path.to_owned()))
            }
            Kind::Tables(section) => {
                let DeValue::Array(array) = found else {
                    let single = found.is_table().then(|| format!("write [[{path}]]"));
                    return Err(Some(wrong().hint_if(single)));
                };
                let items = (1..).zip(array.iter()).filter_map(|(n, value)| {
                    let Some(table) = value.get_ref().as_table() else {
                        let complaint = Complaint::wanted("a table", self.found(value));
                        self.refuse(value, path, complaint);
                        return None;
                    };
                    let name = ["id", "name"].iter().find_map(|key| table.get(*key)?.get_ref().as_str());
                    let path = match name {
                        Some(name) => format!("{path}.{}", shown(name)),
                        None => format!("{path}[{n}]"),
                    };
                    let place = self.place(value);
                    let table = self.table(section, table, place.clone(), path);
                    Some(Item { value: Value::Table(table), place })
                });
                Value::List(items.collect())
            }
            Kind::Named(section) => {
                let table = found.as_table().ok_or_else(wrong)?;
                let tables = table.iter().filter_map(|(name, value)| {
                    let name = name.get_ref().to_string();
                    let path = format!("{path}.{}", shown(&name));
                    let Some(table) = value.get_ref().as_table() else {
                        let complaint = Complaint::wanted("a table", self.found(value));
                        self.refuse(value, &path, complaint);
                        return None;
                    };
                    Some((name, self.table(section, table, self.place(value), path)))
                });
                Value::Named(tables.collect())
            }
        })
    }

    /// One value where a list may stand: what is wanted in the end is said of the list.
    fn item_of_list(
        &mut self,
        of: &Kind,
        value: &Spanned<DeValue<'_>>,
        path: &str,
    ) -> Result<Option<Item>, Option<Complaint>> {
        match value.get_ref() {
            DeValue::Table(_) if !matches!(of, Kind::Table(_) | Kind::Map(_)) => {
                Err(Some(Complaint::wanted(Kind::wanted(of), self.found(value))))
            }
            _ => Ok(self.item(of, value, path)),
        }
    }

    fn duration(&self, value: &Spanned<DeValue<'_>>, min: i64, max: i64) -> Result<i64, Complaint> {
        let wrong = || Complaint::wanted(Kind::Duration(0, 0).wanted(), self.found(value));
        let Some(text) = value.get_ref().as_str() else {
            return Err(
                wrong().hint_if(integer(value.get_ref()).map(|n| format!("write \"{n}s\" for seconds")))
            );
        };
        let quantity = Quantity::parse(text).ok_or_else(wrong)?;
        if quantity.unit != Unit::Milliseconds {
            let plain =
                (quantity.unit == Unit::Plain).then(|| format!("write \"{}s\" for seconds", quantity.number));
            return Err(wrong().hint_if(plain));
        }
        if quantity.number.fract() != 0.0 {
            return Err(Complaint::wanted("whole milliseconds", self.found(value)));
        }
        if !(min as f64..=max as f64).contains(&quantity.number) {
            let bound = |number: i64| match number {
                0 => "0s".to_owned(),
                _ => Quantity { number: number as f64, unit: Unit::Milliseconds }.to_string(),
            };
            let wanted = match max {
                i64::MAX => format!("a duration from {}", bound(min)),
                _ => format!("a duration from {} to {}", bound(min), bound(max)),
            };
            return Err(Complaint::wanted(wanted, self.found(value)));
        }
        // Past 2^53 a number with a point has no room for every millisecond; the bounds are far below.
        Ok(quantity.number as i64)
    }

    /// What is wrong inside a string, told at its own place there.
    fn inside(
        &mut self,
        value: &Spanned<DeValue<'_>>,
        path: &str,
        malformed: &Malformed,
    ) -> Option<Complaint> {
        let complaint = told(malformed);
        if self.fixed.is_some() {
            return Some(complaint);
        }
        let mut place = self.place(value);
        let start = offset_in_string(self.desk.written(&place), malformed.at.start);
        place.at.start += start;
        self.desk.complain(&place, path, complaint);
        None
    }
}

fn has(section: &Section, key: &str) -> bool {
    section.keys.iter().any(|known| known.name == key)
}

fn unknown(written: &str, keys: &[&'static Key], variants: &[(&'static str, &'static Section)]) -> Complaint {
    let complaint = Complaint::new(format!("unknown key `{}`", shown(written)));
    let elsewhere: Vec<&str> =
        variants.iter().filter(|(_, section)| has(section, written)).map(|(word, _)| *word).collect();
    if !elsewhere.is_empty() {
        return complaint.hint(format!("it belongs to {}", elsewhere.join(", ")));
    }
    if let Some(name) = nearest(written, keys.iter().map(|key| key.name)) {
        return complaint.hint(format!("did you mean `{name}`?"));
    }
    let names: Vec<String> = keys.iter().map(|key| format!("`{}`", key.name)).collect();
    complaint.hint(match names.as_slice() {
        [] => "nothing may stand here".to_owned(),
        [only] => format!("only {only} may stand here"),
        several => format!("there are {}", several.join(", ")),
    })
}

fn integer(value: &DeValue<'_>) -> Option<i64> {
    let integer = value.as_integer()?;
    i64::from_str_radix(integer.as_str(), integer.radix()).ok()
}

fn number(value: &DeValue<'_>) -> Option<f64> {
    let number = match value {
        DeValue::Float(float) => float.as_str().parse().ok()?,
        _ => integer(value)? as f64,
    };
    number.is_finite().then_some(number)
}

/// A date alone, without a time behind it.
fn date_of(text: &str) -> Option<Date> {
    text.parse::<Date>().ok().filter(|_| text.len() == "2026-12-25".len())
}

pub(crate) fn is_team(name: &str) -> bool {
    name.starts_with('@') && name.contains('/')
}

/// A recipient, if it is spelled like one: not empty, no blanks, nothing after a lone `#` or `@`.
fn recipient(text: &str) -> Option<String> {
    let is_spelled = text.len() > usize::from(text.starts_with(['#', '@']))
        && !text.chars().any(|c| c.is_whitespace() || c.is_control());
    is_spelled.then(|| text.to_owned())
}
