//! What format strings are split into.

use dice_catalog::{Hole, HoleKind, Pad};
use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

use super::{Dialect, Piece, Token, parse};

const ALL: [Dialect; 6] =
    [Dialect::Printf, Dialect::PrintfErrno, Dialect::Kernel, Dialect::Nginx, Dialect::Braces, Dialect::Plain];

/// A hole as the tests write it: `int`, `float before .2 +`.
fn shown(hole: &Hole) -> String {
    let mut shown = format!("{:?}", hole.kind).to_lowercase();
    if hole.pad != Pad::None {
        shown += &format!(" {}", format!("{:?}", hole.pad).to_lowercase());
    }
    if let Some(precision) = hole.precision {
        shown += &format!(" .{precision}");
    }
    shown += if hole.sign { " +" } else { "" };
    shown + if hole.alternate { " #" } else { "" }
}

/// Tokens on one line: `text{int=0}` is a text, then a number that argument 0 fills.
fn line(tokens: &[Token]) -> String {
    let token = |token: &Token| match token {
        Token::Text(text) => text.clone(),
        Token::Hole { hole, argument: Some(argument), .. } => format!("{{{}={argument}}}", shown(hole)),
        Token::Hole { hole, name: Some(name), .. } => format!("{{{}={name}}}", shown(hole)),
        Token::Hole { hole, .. } => format!("{{{}}}", shown(hole)),
    };
    tokens.iter().map(token).collect()
}

#[track_caller]
fn check(dialect: Dialect, format: &str, expected: &str) {
    assert_eq!(line(&parse(dialect, &[Piece::Text(format.into())])), expected, "{format}");
}

#[test]
fn printf_conversions() {
    let check = |format, expected| check(Dialect::Printf, format, expected);
    check("disk %s is %d%% full", "disk {text=0} is {int=1}% full");
    check("%i %u %x %X %o %c %p", "{int=0} {uint=1} {hex=2} {hex=3} {octal=4} {char=5} {pointer=6}");
    check("%f %.2f %.0f %e %g %a", "{float .6=0} {float .2=1} {float .0=2} {float=3} {float=4} {float #=5}");
    check("%hhd%hi%ld%lld%Ld%qd%jd%zd%td", "{int=0}{int=1}{int=2}{int=3}{int=4}{int=5}{int=6}{int=7}{int=8}");
    check("%I64d %I32u %Id %zx %llX", "{int=0} {uint=1} {int=2} {hex=3} {hex=4}");
    check(
        "%5d|%-5d|%05d|%-05d|%+d|% d|%'d",
        "{int before=0}|{int after=1}|{int=2}|{int after=3}|{int +=4}|{int +=5}|{int=6}",
    );
    check("%.3d|%.0d|%08.3d", "{int=0}|{int .0=1}|{int before=2}");
    check("%#x|%#o|%#010x", "{hex #=0}|{octal #=1}|{hex #=2}");
    check(
        "%.5s|%10s|%-10.3s|%.*s|%*s|%*.*s",
        "{text .5=0}|{text before=1}|{text after .3=2}|{text=4}|{text both=6}|{text both=9}",
    );
    check("%.*f|%*d|%08.3f", "{float=1}|{int both=3}|{float before .3=4}");
    check("%2$s %1$d %2$s", "{text=1} {int=0} {text=1}");
    check("%1$*2$d", "{int both=0}");
    check("a%nb%d", "ab{int=1}");
    check("%m: %d", "{errno}: {int=0}");
}

#[test]
fn printf_text_that_is_no_conversion() {
    let check = |format, expected| check(Dialect::Printf, format, expected);
    check("100%", "100%");
    check("%5", "%5");
    check("%@ %y %d", "%@ %y {int=0}");
    check("%-l%d", "%d");
    check("%5%|%d", "%|{int=0}");
    check("%0$d", "%0$d");
    check("done\0 %d", "done");
}

#[test]
fn printf_pointers_of_programs_with_their_own_formatter() {
    let check = |format, expected| check(Dialect::Printf, format, expected);
    check("%pI4/%d", "{text=0}/{int=1}");
    check("%pFX via %pSU on %pNHs.", "{text=0} via {text=1} on {text=2}.");
    check("%-15pI %pA %pm, %pF", "{text after=0} {text=1} {errno=2}, {text=3}");
    check("at %p, %ps %pmore", "at {pointer=0}, {pointer=1}s {pointer=2}more");
}

#[test]
fn kernel_pointers() {
    let check = |format, expected| check(Dialect::Kernel, format, expected);
    check("\x016%s: %p %px %pK\n", "{text=0}: {pointer=1} {hex #=2} {pointer=3}\n");
    check("%pS %pI4 %pI6c %pM %pUb %pV", "{text=0} {text=1} {text=2} {text=3} {text=4} {text=5}");
    check("%*ph|%pe|%pa|%pd2|%pOFn", "{text both=1}|{text=2}|{hex #=3}|{text=4}|{text=5}");
}

#[test]
fn nginx_conversions() {
    let check = |format, expected| check(Dialect::Nginx, format, expected);
    check("%V %v %s %*s", "{text=0} {text=1} {text=2} {text=4}");
    check(
        "%i %ui %d %ud %uz %z %O %P %T %M %l %D %L %A %r",
        "{int=0} {uint=1} {int=2} {uint=3} {uint=4} {int=5} {int=6} {int=7} {int=8} {int=9} {int=10} {int=11} {int=12} {int=13} {int=14}",
    );
    check("%08xD %Xi %xV %p %c", "{hex=0} {hex=1} {text=2} {pointer=3} {char=4}");
    check("%f %.3f %5i %03i %mui", "{float .0=0} {float .3=1} {int before=2} {int=3} {uint before=4}");
    check("a%Nb%% %Z%y %", "a\nb% {char}y %");
}

#[test]
fn braces() {
    let check = |format, expected| check(Dialect::Braces, format, expected);
    check("disk {} is {}% full", "disk {text=0} is {text=1}% full");
    check("{1} {} {0} {}", "{text=1} {text=0} {text=0} {text=1}");
    check(
        "{name} {name:?} {r#type} { name } {}",
        "{text=name} {text=name} {text=r#type} {text=name} {text=0}",
    );
    check("{{}} {{{}}} }}{{", "{} {{text=0}} }{");
    check("{:?} {:#?} {:x?} {:02X?}", "{text=0} {text=1} {text=2} {text both=3}");
    check(
        "{:x} {:#X} {:#010x} {:o} {:#b} {:e} {:p}",
        "{hex=0} {hex #=1} {hex #=2} {octal=3} {octal #=4} {float=5} {pointer=6}",
    );
    check(
        "{:>8.3} {:<8} {:^8} {:8} {:08} {:.3}",
        "{text before=0} {text after=1} {text both=2} {text both=3} {text both=4} {text=5}",
    );
    check(
        "{:8x} {:>8x} {:<8x} {:08x} {:0>8x} {:_>8x}",
        "{hex before=0} {hex before=1} {hex after=2} {hex=3} {hex=4} {text=5}",
    );
    check("{:*^9} {:é>9} {:}>9} {:{<9}", "{text=0} {text=1} {text=2} {text=3}");
    check("{:w$} {:.p$} {:1$} {:>0$x} {}", "{text both=0} {text=1} {text both=2} {hex before=3} {text=4}");
    check("{:.*} {:w$.*} {x:.*} {}", "{text=1} {text both=3} {text=x} {text=5}");
    check("{:+} {:+x} {:-}", "{text=0} {hex +=1} {text=2}");
    check(
        "{=u8} {0=i32:x} {=f32} {=bool} {=str} {=[u8]:a}",
        "{uint=0} {hex=0} {float=1} {bool=2} {text=3} {text=4}",
    );
    check("{?} {a.b} {\"k\": 1} { } {", "{?} {a.b} {\"k\": 1} {text=0} {");
    check("{:z z} {:>", "{:z z} {:>");
}

#[test]
fn plain_text_has_no_holes() {
    check(Dialect::Plain, "100% {} %d\0", "100% {} %d\0");
}

#[test]
fn pieces_are_joined_before_conversions_are_read() {
    let hole = |kind| Piece::Hole(Hole::of(kind));
    let check = |pieces: &[Piece], expected| assert_eq!(line(&parse(Dialect::Printf, pieces)), expected);
    check(&[Piece::Text("a %".into()), Piece::Text("lu b".into())], "a {uint=0} b");
    check(&[Piece::Text("a ".into()), hole(HoleKind::Text), Piece::Text(" %d".into())], "a {text} {int=0}");
    check(
        &[Piece::Text("%d a %-".into()), hole(HoleKind::Text), Piece::Text(" %d".into())],
        "{int=0} a {text=1} {int=2}",
    );
    check(&[Piece::Text("a\0".into()), hole(HoleKind::Text), Piece::Text("b".into())], "a");
}

#[test]
fn bytes_that_are_not_utf8_are_holes() {
    for dialect in ALL {
        let tokens = parse(dialect, &[Piece::Text(b"caf\xe9 \xc3\xa9".to_vec())]);
        assert_eq!(line(&tokens), "caf{char} é");
    }
}

#[test]
fn formats_have_the_holes_of_the_fixture() {
    let fixture = include_str!("../../../../fixtures/holes.tsv");
    for row in fixture.lines().skip(1) {
        let [dialect, format, _printed, hole] = row.split('\t').collect::<Vec<_>>()[..] else {
            panic!("a row has four columns: {row}");
        };
        let dialect = Dialect::named(dialect).expect("the first column names a dialect");
        let found = match &parse(dialect, &[Piece::Text(format.into())])[..] {
            [Token::Hole { hole, .. }] => serde_json::to_string(hole).unwrap(),
            other => line(other),
        };
        assert_eq!(found, hole, "{row}");
    }
}

fn is_normal(tokens: &[Token]) -> bool {
    let no_empty = tokens.iter().all(|token| !matches!(token, Token::Text(text) if text.is_empty()));
    let no_pairs = tokens.windows(2).all(|pair| !matches!(pair, [Token::Text(_), Token::Text(_)]));
    no_empty && no_pairs
}

proptest! {
    #[test]
    fn any_bytes_are_split(pieces: Vec<Option<Vec<u8>>>) {
        let piece = |piece: &Option<Vec<u8>>| match piece {
            Some(text) => Piece::Text(text.clone()),
            None => Piece::Hole(Hole::of(HoleKind::Text)),
        };
        let pieces: Vec<Piece> = pieces.iter().map(piece).collect();
        for dialect in ALL {
            prop_assert!(is_normal(&parse(dialect, &pieces)));
        }
    }

    #[test]
    fn text_full_of_conversions_is_split(text in r"([%{}:*$.#0-9<^>?=duxspVimn\x00é+ -]|%\*|\{:){0,40}") {
        for dialect in ALL {
            prop_assert!(is_normal(&parse(dialect, &[Piece::Text(text.clone().into())])));
        }
    }

    #[test]
    fn text_without_marks_stays(texts in proptest::collection::vec("[^%{}\0]{0,9}", 0..5), hole in any::<bool>()) {
        for dialect in ALL {
            let mut pieces: Vec<Piece> = texts.iter().map(|text| Piece::Text(text.clone().into())).collect();
            let mut expected = texts.concat();
            if hole {
                pieces.push(Piece::Hole(Hole::of(HoleKind::Int)));
                expected += "{int}";
            }
            prop_assert_eq!(line(&parse(dialect, &pieces)), expected);
        }
    }
}
