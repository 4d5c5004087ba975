//! Lists in parts.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::managed::Version;
use crate::problem::Problem;
use crate::view::{Defined, Delivery, Digest, Episode, Noisy, Noted, Override, Silence, Snooze};

/// Items in a part that does not say how many.
const USUAL: usize = 100;
/// Items in a part at most.
const MOST: usize = 1_000;
/// Bytes of a cursor, far more than any of ours has.
const MAX_CURSOR_BYTES: usize = 2_048;

/// Which part of a list is meant.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Span {
    /// How many at most: 100 where nothing is said, 1,000 at most.
    pub(crate) limit: Option<usize>,
    /// Where to go on: `next` of the part before.
    pub(crate) cursor: Option<String>,
}

/// A part of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Part<T> {
    /// What is in it.
    pub(crate) items: Vec<T>,
    /// The cursor of the part that follows; absent where nothing does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<String>,
}

/// Something that has a place in a list which does not change while others come and go.
pub(crate) trait Placed {
    /// Its place; equal ones are one item.
    fn place(&self) -> String;
}

/// A place that puts the latest first.
fn latest_first(at_ms: i64, id: &str) -> String {
    // The order of texts is that of the numbers, because none is negative and all have one width.
    format!("{:020}{id}", (i128::from(i64::MAX) - i128::from(at_ms)).max(0))
}

impl Placed for Defined {
    fn place(&self) -> String {
        self.id.clone()
    }
}

impl Placed for Episode {
    fn place(&self) -> String {
        let is_closed = u8::from(self.state == "closed");
        format!("{is_closed}{}", latest_first(self.opened.0, &self.id))
    }
}

impl Placed for Delivery {
    fn place(&self) -> String {
        latest_first(self.created.0, &self.id)
    }
}

impl Placed for Noted {
    fn place(&self) -> String {
        // Its texts may be longer than a cursor can be.
        let parts = [&self.cause, &self.subject, &self.by, &self.text].map(|part| part.as_bytes());
        latest_first(self.at.0, &dice_route::name(&parts))
    }
}

impl Placed for Snooze {
    fn place(&self) -> String {
        latest_first(self.since.0, &self.id)
    }
}

impl Placed for Silence {
    fn place(&self) -> String {
        latest_first(self.starts.0, &self.id)
    }
}

impl Placed for Override {
    fn place(&self) -> String {
        self.message.clone()
    }
}

impl Placed for Digest {
    fn place(&self) -> String {
        self.reader.clone()
    }
}

impl Placed for Noisy {
    fn place(&self) -> String {
        format!("{:020}{}", u64::MAX - self.count, self.message)
    }
}

impl Placed for Version {
    fn place(&self) -> String {
        format!("{:020}", u64::MAX - self.number)
    }
}

impl Span {
    /// The part of `items` that is meant.
    pub(crate) fn of<T: Placed>(&self, items: Vec<T>) -> Result<Part<T>, Problem> {
        let limit = self.limit.unwrap_or(USUAL);
        if !(1..=MOST).contains(&limit) {
            return Err(Problem::bad_request("wanted a part of a list")
                .wanted(format!("?limit from 1 to {MOST}"))
                .found(limit.to_string())
                .next("leave it out for 100"));
        }
        let after = match &self.cursor {
            None => None,
            Some(cursor) => Some(unwritten(cursor).ok_or_else(|| {
                Problem::bad_request("wanted to go on with a list")
                    .wanted("the text that the part before ended with, as `next`")
                    .found("another one")
                    .next("begin anew without ?cursor")
            })?),
        };
        let mut items: Vec<(String, T)> = items
            .into_iter()
            .map(|item| (item.place(), item))
            .filter(|(place, _)| after.as_ref().is_none_or(|after| place > after))
            .collect();
        items.sort_by(|(a, _), (b, _)| a.cmp(b));
        let has_more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| has_more).map(|(place, _)| written(place));
        Ok(Part { items: items.into_iter().map(|(_, item)| item).collect(), next })
    }
}

/// A place as a cursor: nothing that a query string would have to escape.
fn written(place: &str) -> String {
    place.bytes().map(|byte| format!("{byte:02x}")).collect()
}

fn unwritten(cursor: &str) -> Option<String> {
    if cursor.len() > MAX_CURSOR_BYTES || cursor.is_empty() || !cursor.len().is_multiple_of(2) {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pairs = cursor.as_bytes().chunks_exact(2);
    let bytes: Option<Vec<u8>> = pairs.map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect();
    String::from_utf8(bytes?).ok()
}

#[cfg(test)]
mod tests {
    use super::{Span, unwritten, written};
    use crate::Time;
    use crate::view::Noted;

    #[track_caller]
    fn check(limit: usize, expected: &[&[i64]]) {
        let items: Vec<Noted> =
            [3, 1, 5, 2, 4].map(|at| Noted { at: Time(at), ..Noted::default() }).into_iter().collect();
        let mut cursor = None;
        for part in expected {
            let found = Span { limit: Some(limit), cursor }.of(items.clone()).unwrap();
            assert_eq!(found.items.iter().map(|item| item.at.0).collect::<Vec<_>>(), *part);
            cursor = found.next;
        }
        assert_eq!(cursor, None);
    }

    #[test]
    fn parts_make_up_the_list() {
        check(2, &[&[5, 4], &[3, 2], &[1]]);
        check(5, &[&[5, 4, 3, 2, 1]]);
        assert!(Span { limit: Some(0), cursor: None }.of(Vec::<Noted>::new()).is_err());
    }

    #[test]
    fn a_list_goes_on_behind_a_long_text() {
        let noted = |subject: &str| Noted {
            subject: subject.to_owned(),
            text: "x".repeat(9_000),
            ..Noted::default()
        };
        let items = vec![noted("a"), noted("b")];
        let first = Span { limit: Some(1), cursor: None }.of(items.clone()).unwrap();
        let rest = Span { limit: Some(1), cursor: first.next }.of(items).unwrap();
        assert_eq!((first.items.len(), rest.items.len(), rest.next), (1, 1, None));
        assert_ne!(first.items[0].subject, rest.items[0].subject);
    }

    #[test]
    fn a_cursor_is_a_place_or_nothing() {
        assert_eq!(unwritten(&written("a\u{7f}ü")).as_deref(), Some("a\u{7f}ü"));
        for cursor in ["", "0", "zz", "ff", "+1"] {
            assert_eq!(unwritten(cursor), None, "{cursor}");
        }
    }
}
