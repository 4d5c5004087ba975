//! However much is in a notice, Slack takes its message.

use dice_deliver::Parcel;
use dice_deliver::slack::{MAX_TOTAL, Rung, Seal, check as accepts, compose};
use dice_route::{Lane, NoticeKind, Outcome, Progress};
use dice_testkit::fakes::slack::check as slack_takes;

use super::{World, parcel, row};

/// Numbers without a pattern, the same for the same seed.
struct Dice(u64);

impl Dice {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % below.max(1) as u64).unwrap_or(0)
    }

    fn text(&mut self) -> String {
        const PARTS: &[&str] = &[
            "<!channel>",
            "<@U1>",
            "&",
            "&amp;",
            "<",
            ">",
            "`",
            "```",
            "*",
            "_",
            "~",
            "\n",
            "\r\n",
            "\t",
            "\0",
            "\u{1b}[1m",
            "\u{202e}",
            "\u{e0001}",
            "😀",
            "ä",
            "漢",
            " ",
            "a",
            "disk sda",
            ":tada:",
            "|",
            "@here",
            "https://a.b/c?d=e&f",
            "#ops",
            "\u{feff}",
            "\\",
            "\"",
            "{",
            "0123456789",
        ];
        let n = [0, 1, 2, 8, 40, 400][self.next(6)];
        let n = self.next(n + 1);
        let mut text = String::new();
        for _ in 0..n {
            match self.next(4) {
                0 => text.extend(char::from_u32(u32::try_from(self.next(0x11_0000)).unwrap_or(0))),
                _ => text.push_str(PARTS[self.next(PARTS.len())]),
            }
        }
        text
    }

    fn parcel(&mut self, n_texts: &mut usize) -> Parcel {
        use NoticeKind::{Digest, Escalation, Open, Resolved, SelfAlert, Storm, Summary, Update};
        let kind = [Open, Update, Digest, Storm, Summary, SelfAlert, Escalation, Resolved][self.next(8)];
        let mut parcel = parcel("i", kind);
        let notice = &mut parcel.intent.notice;
        (notice.title, notice.because) = (self.text(), self.text());
        let (rows, notes) = ([0, 1, 1, 3, 20, 60][self.next(6)], self.next(4));
        notice.notes = (0..notes).map(|_| self.text()).collect();
        notice.rows = (0..rows)
            .map(|_| {
                let mut row = row();
                (row.title, row.state) = (self.text(), self.text());
                (row.owner, row.url) = (Some(self.text()), Some(self.text()));
                (row.message, row.episode) = (Some(self.text()), Some(self.text()));
                row.evidence.sample = Some(self.text().into());
                row.evidence.place = Some(self.text().into());
                row.evidence.hosts = (0..self.next(9)).map(|_| (self.text().into(), 1)).collect();
                row.evidence.count = u64::MAX;
                row.evidence.seen_ms = Some((i64::MIN, i64::MAX));
                row.days = vec![(self.text(), u64::MAX)];
                row
            })
            .collect();
        if kind == Digest && self.next(3) == 0 {
            let told = Progress { parts: 1, rows: usize::MAX / 2, ..Progress::default() };
            parcel.intent.passage.told = Some(told);
        }
        parcel.intent.lane = Lane::Alert;
        parcel.is_possible_repeat = self.next(2) == 0;
        *n_texts += 2 + notes + rows * 9;
        parcel
    }
}

#[test]
fn what_dice_believes_slack_takes_slack_takes() {
    let seal = Seal::new(b"seal");
    let seed = 0x5eed_1234_5678_9abc;
    let (mut dice, mut n_texts, mut n) = (Dice(seed), 0, 0);
    while n_texts < 100_000 {
        n += 1;
        let parcel = dice.parcel(&mut n_texts);
        for rung in [Rung::Full, Rung::Plain] {
            let message = compose(&parcel, Some(&seal), rung);
            let body = message.body();
            assert_eq!(accepts(&body), Ok(()), "seed {seed:x}, notice {n}");
            assert_eq!(slack_takes(&body), Ok(()), "seed {seed:x}, notice {n}: {body:#}");
            // What goes on in further messages comes to an end.
            let n_rows = parcel.intent.notice.rows.len();
            assert!(message.rows_left < n_rows.max(1), "seed {seed:x}, notice {n}: {message:?}");
        }
    }
    const { assert!(MAX_TOTAL < dice_testkit::fakes::slack::MAX_TOTAL) };
}

#[test]
fn and_so_over_the_wire() {
    let world = World::new();
    let (mut dice, mut n_texts) = (Dice(0x00de_c0de), 0);
    for n in 0..200 {
        let parcel = Parcel { now_ms: world.fake.now_ms(), ..dice.parcel(&mut n_texts) };
        let outcome = world.deliver(&parcel);
        let refusals = world.fake.refusals();
        let is_told = matches!(outcome, Outcome::Delivered(_) | Outcome::Partly(_));
        assert!(is_told, "notice {n}: {outcome:?} {refusals:?}");
        assert!(refusals.is_empty(), "notice {n}: {refusals:?}");
    }
}

#[test]
fn what_is_too_much_is_left_out_step_by_step() {
    #[track_caller]
    fn check(rows: usize, text: usize, wanted: Rung) {
        let mut parcel = parcel("i", NoticeKind::Open);
        parcel.intent.notice.rows = (0..rows)
            .map(|_| {
                let mut row = row();
                row.title = "&".repeat(text);
                row.owner = Some("&".repeat(text));
                row.evidence.sample = Some("x".repeat(text).into());
                row
            })
            .collect();
        let message = compose(&parcel, None, Rung::Full);
        assert_eq!(message.rung, wanted, "{rows} rows of {text}");
    }
    check(1, 20, Rung::Full);
    check(1, 100_000, Rung::Full);
    check(5, 230, Rung::FewerSamples);
    check(8, 190, Rung::ShorterText);
    check(45, 150, Rung::FewerRows);
}
