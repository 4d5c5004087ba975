//! Rules: what stands in a table becomes what the router looks for.

mod kind;
mod meaning;

use std::sync::Arc;

use dice_route::Severity;
use dice_route::condition::{Condition, Field};
use dice_route::config::{OnMissingKey, Rule, Timing};

use crate::load::Given;
use crate::names::{Named, Names};
use crate::text::{Complaint, Desk};
use crate::value::Table;

/// The rule of a table; `None` where something is wrong with it or it is switched off.
pub(crate) fn rule(desk: &mut Desk, table: &Table, names: &Names, given: &Given) -> Option<Rule> {
    let n_problems = desk.n_problems();
    names.check_recipients(desk, table, "to", false);
    names.check(desk, Named::Policy, table, "policy");
    for (name, item) in table.map("labels") {
        if matches!(name.as_str(), "rule" | "severity") {
            let complaint = Complaint::new(format!("every episode has the label `{name}` already"));
            desk.complain(&item.place, &table.path_of("labels"), complaint.hint("choose another name"));
        }
    }
    check_summary(desk, table);
    check_fingerprint(desk, table);
    let key = table.fields("key");
    check_key(desk, table, &key);
    let kind = table.is_sound_beside("tests").then(|| kind::kind(desk, table, given)).flatten()?;
    if desk.n_problems() > n_problems || !table.flag("enabled") {
        return None;
    }
    let fingerprint = |key| table.table("fingerprint").map(|table| table.fields(key)).unwrap_or_default();
    Some(Rule {
        id: table.word("id").into(),
        semantic_rev: meaning::revision(table),
        kind,
        condition: table.condition("where").unwrap_or_else(Condition::always),
        key,
        on_missing_key: match table.word("on_missing_key") {
            "skip" => OnMissingKey::Skip,
            _ => OnMissingKey::Empty,
        },
        timing: Timing {
            max_keys: table.size("max_keys"),
            update_every_ms: table.duration("update_every"),
            max_open_ms: table.duration("max_open"),
            clear_for_ms: table.duration("clear_for"),
        },
        severity: severity(table.word("severity")),
        labels: table.text_map("labels"),
        summary: table.owned("summary"),
        to: table.texts("to"),
        policy: table.owned("policy"),
        fingerprint_add: fingerprint("add"),
        fingerprint_drop: fingerprint("drop"),
    })
}

/// The rules of tables, switched off ones left out.
pub(crate) fn rules(desk: &mut Desk, tables: &[&Table], names: &Names, given: &Given) -> Vec<Arc<Rule>> {
    tables.iter().filter_map(|table| rule(desk, table, names, given).map(Arc::new)).collect()
}

pub(crate) fn severity(word: &str) -> Severity {
    match word {
        "low" => Severity::Low,
        "high" => Severity::High,
        "critical" => Severity::Critical,
        _ => Severity::Medium,
    }
}

/// What a key field may be called in summaries and tests: its name, or the end of it.
pub(crate) fn is_called(field: &Field, name: &str) -> bool {
    let short = ["vars.", "fields."].iter().find_map(|group| field.name().strip_prefix(group));
    field.name() == name || short == Some(name)
}

fn check_key(desk: &mut Desk, table: &Table, key: &[Field]) {
    for (n, field) in key.iter().enumerate() {
        if key[..n].contains(field) {
            let item = table.list("key").get(n);
            let place = item.map_or(table.place_of("key"), |item| &item.place);
            let complaint =
                Complaint::new(format!("`{}` is in the key twice", field.name())).hint("remove one");
            desk.complain(place, &table.path_of("key"), complaint);
        }
    }
}

fn check_fingerprint(desk: &mut Desk, table: &Table) {
    let Some(fingerprint) = table.table("fingerprint") else { return };
    for (item, field) in fingerprint.list("drop").iter().zip(fingerprint.fields("drop")) {
        if !matches!(field.name(), "env" | "level") {
            let complaint = Complaint::wanted("`env` or `level`", format!("`{}`", field.name()))
                .hint("nothing else is in it, unless `add` says so");
            desk.complain(&item.place, &fingerprint.path_of("drop"), complaint);
        }
    }
}

/// Checks what a summary asks to be filled in.
fn check_summary(desk: &mut Desk, table: &Table) {
    let Some(summary) = table.text("summary") else { return };
    let (key, labels) = (table.fields("key"), table.map("labels"));
    let mut rest = summary;
    let mut complaints = Vec::new();
    while let Some((_, after)) = rest.split_once("{{") {
        let Some((inside, behind)) = after.split_once("}}") else {
            complaints.push(Complaint::wanted("`}}` behind `{{`", "the end"));
            break;
        };
        rest = behind;
        let inside = inside.trim();
        let is_known = match inside.split_once('.') {
            None => matches!(inside, "count" | "window"),
            Some(("key", name)) => key.iter().any(|field| is_called(field, name)),
            Some(("label", name)) => {
                matches!(name, "rule" | "severity") || labels.iter().any(|(known, _)| known == name)
            }
            Some(("figure", name)) => !name.is_empty(),
            Some(_) => false,
        };
        if !is_known {
            let keys: Vec<String> = key.iter().map(|field| format!("key.{}", field.name())).collect();
            let labels = labels.iter().map(|(name, _)| format!("label.{name}"));
            let known: Vec<String> =
                ["count", "window"].map(str::to_owned).into_iter().chain(keys).chain(labels).collect();
            let shown = crate::text::shown(inside);
            let complaint = Complaint::wanted("something that can be filled in", format!("{{{{{shown}}}}}"));
            complaints.push(complaint.hint(format!("there are {} and figure.NAME", known.join(", "))));
        }
    }
    for complaint in complaints {
        desk.complain(table.place_of("summary"), &table.path_of("summary"), complaint);
    }
}
