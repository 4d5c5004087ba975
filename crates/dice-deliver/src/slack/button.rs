//! What a button stands for: a short sealed text that says what is done to what.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use dice_route::{Act, Audience, Scope};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// Longer tickets do not fit into the options of a menu.
const MAX_LEN: usize = 75;

/// Seals tickets, so that only what Dice wrote is obeyed.
#[derive(Clone)]
pub struct Seal {
    key: [u8; 32],
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seal(…)")
    }
}

/// What a button does to what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    /// What is done.
    pub deed: Deed,
    /// To what.
    pub thing: Scope,
}

/// What a button does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// Hides until something; one of [`Deed::UNTIL`], by its place.
    Snooze(u8),
    /// Asks who it was instead.
    NotMe,
    /// "I am on it."
    Ack,
    /// Takes back a snooze; the thing's name is the snooze's id.
    Unsnooze,
    /// Takes back "not me" or an assignment.
    Unassign,
    /// Takes back an acknowledgement.
    Unack,
}

impl Deed {
    /// How long things can be snoozed from a menu, as the router reads it, and as people do. Only ever
    /// appended to: buttons that were sent count places.
    pub const UNTIL: &'static [(&'static str, &'static str)] = &[
        ("30m", "for 30 minutes"),
        ("1h", "for 1 hour"),
        ("4h", "for 4 hours"),
        ("tomorrow", "until tomorrow"),
        ("next-workday", "until the next working day"),
        ("next monday", "until next Monday"),
        ("rate:3", "until it escalates"),
        ("forever", "for good"),
    ];

    /// The one that disables.
    pub const FOREVER: Deed = Deed::Snooze(7);

    /// Until it occurs much more often than before.
    pub const ESCALATES: Deed = Deed::Snooze(6);

    fn number(self) -> u8 {
        match self {
            Deed::NotMe => 1,
            Deed::Ack => 2,
            Deed::Unsnooze => 3,
            Deed::Unassign => 4,
            Deed::Unack => 5,
            Deed::Snooze(place) => 64 + place,
        }
    }

    fn of_number(number: u8) -> Option<Deed> {
        Some(match number {
            1 => Deed::NotMe,
            2 => Deed::Ack,
            3 => Deed::Unsnooze,
            4 => Deed::Unassign,
            5 => Deed::Unack,
            64.. if usize::from(number - 64) < Deed::UNTIL.len() => Deed::Snooze(number - 64),
            _ => return None,
        })
    }
}

impl Seal {
    /// A seal made of a secret that outlives restarts; buttons sealed with another one do nothing.
    pub fn new(secret: &[u8]) -> Seal {
        Seal { key: mac(secret, b"dice: buttons in Slack, v1") }
    }

    /// The ticket as a button carries it; `None` when the thing's name is too long for one.
    pub fn close(&self, ticket: &Ticket) -> Option<String> {
        let (kind, name) = match &ticket.thing {
            Scope::Message(name) => (1, name),
            Scope::Alert(name) => (2, name),
            Scope::Rule(name) => (3, name),
            Scope::Group(name) => (4, name),
            Scope::Episode(name) => (5, name),
        };
        // Names are nearly always 32 hexadecimal digits, which take half the room.
        let (form, name) = match (unhex(name), name.strip_prefix("u:").and_then(unhex)) {
            (Some(bytes), _) => (0x10, bytes),
            (None, Some(bytes)) => (0x20, bytes),
            (None, None) => (0, name.as_bytes().to_vec()),
        };
        let mut bytes = vec![ticket.deed.number(), kind | form];
        bytes.extend(name);
        let body = format!("v1.{}", BASE64.encode(bytes));
        let sealed = format!("{body}.{}", self.digits(&body));
        (sealed.len() <= MAX_LEN).then_some(sealed)
    }

    /// The ticket that was sealed; `None` when the seal is not ours.
    pub fn open(&self, sealed: &str) -> Option<Ticket> {
        if sealed.len() > MAX_LEN {
            return None;
        }
        let (body, digits) = sealed.rsplit_once('.')?;
        if !bool::from(self.digits(body).as_bytes().ct_eq(digits.as_bytes())) {
            return None;
        }
        let bytes = BASE64.decode(body.strip_prefix("v1.")?).ok()?;
        let [deed, kind, name @ ..] = bytes.as_slice() else { return None };
        let name = match kind & 0xf0 {
            0x10 => hex(name),
            0x20 => format!("u:{}", hex(name)),
            _ => String::from_utf8(name.to_vec()).ok()?,
        };
        let thing = match kind & 0x0f {
            1 => Scope::Message(name),
            2 => Scope::Alert(name),
            3 => Scope::Rule(name),
            4 => Scope::Group(name),
            5 => Scope::Episode(name),
            _ => return None,
        };
        Some(Ticket { deed: Deed::of_number(*deed)?, thing })
    }

    fn digits(&self, body: &str) -> String {
        hex(&mac(&self.key, body.as_bytes())[..8])
    }
}

impl Ticket {
    /// What the router is asked to do; `None` for what only opens a question.
    ///
    /// `audience` is whom a snooze is for: where the button was pressed says it.
    pub fn act(&self, audience: Audience) -> Option<Act> {
        let name = match &self.thing {
            Scope::Message(name)
            | Scope::Alert(name)
            | Scope::Rule(name)
            | Scope::Group(name)
            | Scope::Episode(name) => name.clone(),
        };
        Some(match self.deed {
            Deed::Snooze(place) => {
                let (until, _) = Deed::UNTIL.get(usize::from(place))?;
                Act::Snooze { scope: self.thing.clone(), audience, until: (*until).to_owned(), reason: None }
            }
            Deed::NotMe => return None,
            Deed::Ack => Act::Ack { episode: name },
            Deed::Unsnooze => Act::Unsnooze { id: name },
            Deed::Unassign => Act::Unassign { message: name },
            Deed::Unack => Act::Unack { episode: name },
        })
    }
}

/// The HMAC of `text` by SHA-256.
pub(super) fn mac(key: &[u8], text: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key may have any length");
    mac.update(text);
    mac.finalize().into_bytes().into()
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes of 32 lower-case hexadecimal digits.
fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let pairs = text.as_bytes().chunks(2);
    if text.len() != 32 {
        return None;
    }
    pairs.map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect()
}

#[cfg(test)]
mod tests {
    use super::{Deed, Seal, Ticket};
    use dice_route::Scope;

    #[track_caller]
    fn check(deed: Deed, thing: Scope, len: usize) {
        let seal = Seal::new(b"secret");
        let ticket = Ticket { deed, thing };
        let sealed = seal.close(&ticket).unwrap();
        assert_eq!(sealed.len(), len, "{sealed}");
        assert_eq!(seal.open(&sealed), Some(ticket));
        assert_eq!(Seal::new(b"other").open(&sealed), None);
        for at in 0..sealed.len() {
            let mut forged = sealed.clone().into_bytes();
            forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
            assert_eq!(seal.open(&String::from_utf8(forged).unwrap()), None, "{at}");
        }
    }

    #[test]
    fn tickets_come_back_as_they_were_sealed() {
        let name = "00112233445566778899aabbccddeeff";
        check(Deed::NotMe, Scope::Message(name.to_owned()), 44);
        check(Deed::FOREVER, Scope::Message(format!("u:{name}")), 44);
        check(Deed::Ack, Scope::Episode("web/3".to_owned()), 30);
        let long = Ticket { deed: Deed::Ack, thing: Scope::Group("x".repeat(60)) };
        assert_eq!(Seal::new(b"secret").close(&long), None);
    }
}
