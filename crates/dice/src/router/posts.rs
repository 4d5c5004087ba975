//! Which requests were taken, by the keys that senders gave them.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use dice_route::book::{Delta, Table};
use dice_source::Block;
use serde::{Deserialize, Serialize};

/// Requests that are remembered; past it the oldest go.
const POSTS: usize = 10_000;

/// What rows of notes begin with whose rest is the name of a request.
const NOTE: &str = "service post ";

/// Requests that were taken, by source and key: the same one again does nothing.
#[derive(Debug, Clone, Default)]
pub(crate) struct Posts {
    known: HashMap<Arc<str>, Post>,
    /// Their names, in the order in which they were taken.
    order: BTreeMap<u64, Arc<str>>,
}

/// A request as its row has it.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Post {
    number: u64,
    /// A name of its lines.
    lines: Arc<str>,
}

/// What a request is to those before it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// There was none with its key. The rows are to be written with what its lines lead to.
    New(Vec<Delta>),
    /// It was taken before.
    Again,
    /// Another one had its key.
    Other,
}

impl Posts {
    /// Puts in a row of notes as it was written; others are left alone.
    pub(crate) fn restore(&mut self, id: &str, body: &str) {
        let Some(name) = id.strip_prefix(NOTE) else { return };
        let Ok(post) = serde_json::from_str::<Post>(body) else {
            tracing::error!("wanted a request that was taken, found {id}: {body}");
            return;
        };
        let name: Arc<str> = name.into();
        self.order.insert(post.number, Arc::clone(&name));
        self.known.insert(name, post);
    }

    /// Takes a request, if it is new.
    pub(crate) fn take(&mut self, source: &str, key: &str, lines: &Block) -> Taken {
        let name = dice_route::name(&[source.as_bytes(), key.as_bytes()]);
        let all: Vec<&[u8]> = lines.iter().collect();
        let lines = dice_route::name(&all);
        if let Some(known) = self.known.get(&name) {
            return if known.lines == lines { Taken::Again } else { Taken::Other };
        }
        let number = self.order.last_key_value().map_or(0, |(number, _)| number + 1);
        let post = Post { number, lines };
        let mut rows = vec![Delta::Put {
            table: Table::Notes,
            id: format!("{NOTE}{name}"),
            body: serde_json::to_string(&post).expect("a request is a number and a name"),
        }];
        self.order.insert(number, Arc::clone(&name));
        self.known.insert(name, post);
        while self.order.len() > POSTS
            && let Some((_, oldest)) = self.order.pop_first()
        {
            self.known.remove(&oldest);
            rows.push(Delta::Delete { table: Table::Notes, id: format!("{NOTE}{oldest}") });
        }
        Taken::New(rows)
    }
}

#[cfg(test)]
mod tests {
    use dice_route::book::Delta;
    use dice_source::Block;

    use super::{POSTS, Posts, Taken};

    fn check(posts: &mut Posts, key: &str, text: &str) -> Taken {
        posts.take("app", key, &Block::of_text(text.as_bytes().to_vec(), 100))
    }

    #[test]
    fn a_request_is_taken_once() {
        let mut posts = Posts::default();
        let Taken::New(rows) = check(&mut posts, "k", "one\ntwo") else { panic!("it is new") };
        let mut restored = Posts::default();
        for row in &rows {
            let Delta::Put { id, body, .. } = row else { panic!("{row:?}") };
            restored.restore(id, body);
        }
        restored.restore("service config", "{}");
        for posts in [&mut posts, &mut restored] {
            assert_eq!(check(posts, "k", "one\ntwo"), Taken::Again);
            assert_eq!(check(posts, "k", "one\ntwo\nthree"), Taken::Other);
            assert!(matches!(check(posts, "l", "one\ntwo"), Taken::New(_)));
            assert!(matches!(posts.take("another", "k", &Block::default()), Taken::New(_)));
        }
    }

    #[test]
    fn the_oldest_are_forgotten() {
        let mut posts = Posts::default();
        for n in 0..POSTS {
            assert!(matches!(check(&mut posts, &n.to_string(), "x"), Taken::New(rows) if rows.len() == 1));
        }
        assert!(matches!(check(&mut posts, "more", "x"), Taken::New(rows) if rows.len() == 2));
        assert_eq!(check(&mut posts, "1", "x"), Taken::Again);
        assert!(matches!(check(&mut posts, "0", "x"), Taken::New(_)));
    }
}
