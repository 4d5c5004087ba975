//! What is masked, and what is not: both sides as tables.

use dice_route::{Evidence, Notice, NoticeRow};

use super::{MASK, Masking, masked, masked_text};

const PLAIN: Masking = Masking { emails: false };

/// `text` becomes `expected`; in both, `§` hides from other programs that look for tokens in sources.
#[track_caller]
fn check(text: &str, expected: &str) {
    let text = text.replace('§', "");
    let once = masked_text(&text, PLAIN).into_owned();
    assert_eq!(once, expected.replace('§', ""));
    assert_eq!(masked_text(&once, PLAIN), once, "masking twice changes nothing");
}

#[track_caller]
fn stays(text: &str) {
    check(text, text);
}

#[test]
fn tokens_are_known_by_their_form() {
    check("slack said no to xo§xb-123456789012-abcdefGHIJ, twice", "slack said no to ***, twice");
    check("url=https://x/?t=gh§p_0123456789abcdefghijABCDEFGHIJ012345", "url=https://x/?t=***");
    check("key AK§IAIOSFODNN7EXAMPLE used", "key *** used");
    check("login: ey§JhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl ok", "login: *** ok");
    check("sent Bearer abc.def-123456 to x", "sent Bearer *** to x");
    check(
        "post https://hooks.slack.com/services/T0000/B0000/abcdefgh1234",
        "post https://hooks.slack.com/services/***",
    );
    check("using sk§-proj-abcdefghij0123456789", "using ***");
    check("hook whs§ec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "hook ***");
    check(
        "read -----BEGIN RSA PRIV§ATE KEY-----\nMIIEpAIBAAKCAQEA\n-----END RSA PRIV§ATE KEY----- from disk",
        "read *** from disk",
    );
    check("read -----BEGIN PRIV§ATE KEY-----\\nMIIEpAIBAAKCAQEA and no end", "read ***");
}

#[test]
fn values_behind_telling_names_are_masked() {
    check("password=hunter2 user=bob", "password=*** user=bob");
    check("password: hunter2", "password: ***");
    check("DB_PASSWORD=\"two words\" x", "DB_PASSWORD=\"***\" x");
    check("{\"dbPassword\": \"a\\\"b\", \"n\": 1}", "{\"dbPassword\": \"***\", \"n\": 1}");
    check(r#"body={\"password\":\"hunter2\",\"n\":1}"#, r#"body={\"password\":\"***\",\"n\":1}"#);
    check("{'client_secret': 'geheim'}", "{'client_secret': '***'}");
    check("(secret=geheim)", "(secret=***)");
    check("mysql --password hunter2 -u x", "mysql --password *** -u x");
    check("run --token=abcdef123456", "run --token=***");
    check("api_key=0123456789abcdef0123456789abcdef01234567", "api_key=***");
    check("API key: 9f86d081884c7d659a2f", "API key: ***");
    check("access_token=a1b2c3d4e5&x=1", "access_token=***&x=1");
    check("key=Zm9vYmFyQmF6MTIzNDU2Nzg5MA==", "key=***");
    check("Authorization: Basic dXNlcjpwYXNzd29yZA==", "Authorization: Basic ***");
    check("\"authorization\":\"Bearer abcdefgh12\"", "\"authorization\":\"Bearer ***\"");
    check("Cookie: sid=abc123; theme=dark", "Cookie: ***");
    check("password := \"geheim\"", "password := \"***\"");
    check("password => geheim", "password => ***");
    check("Server=db;User Id=x;Password=p@ss;Encrypt=yes", "Server=db;User Id=x;Password=***;Encrypt=yes");
    check("password=großes-Geheimnis!", "password=***");
    check("password=\"ä\\ß and no end", "password=\"***");
}

#[test]
fn urls_lose_their_passwords() {
    check("connect postgres://bob:geheim@db:5432/x failed", "connect postgres://bob:***@db:5432/x failed");
    check("redis://:p%40ss@cache/0", "redis://:***@cache/0");
    check("clone https://0123456789abcdef01234567@git.example/x", "clone https://***@git.example/x");
}

#[test]
fn cards_are_masked_and_counters_are_not() {
    check("paid with 4111 1111 1111 1111 ok", "paid with *** ok");
    check("paid with 5500-0000-0000-0004", "paid with ***");
    check("card=378282246310005.", "card=***.");
    stays("at 1700000000000 and 1700000000000000 and 4111111111111112");
    stays("trace 41111111111111111111 id-4111111111111111");
}

#[test]
fn what_a_reader_needs_stays() {
    for text in [
        "commit 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b by alice",
        "fingerprint=0123456789abcdef0123456789abcdef",
        "key=0123456789abcdef0123456789abcdef",
        "key=user:42 key=orders/2024/05 cache key: abc",
        "request 550e8400-e29b-41d4-a716-446655440000 failed",
        "session_id=550e8400-e29b-41d4-a716-446655440000",
        "token=550e8400-e29b-41d4-a716-446655440000",
        "trace_id=4bf92f3577b34da6a3ce929d0e0e4736 span=00f067aa0ba902b7",
        "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b9f86d081884c7d659a2feaa0",
        "open /var/lib/secrets/password: permission denied",
        "unexpected token: identifier at line 3",
        "unexpected token=} in JSON at position 12",
        "max_tokens=4096 token_count: 12 token_type=bearer",
        "password: must have 8 characters",
        "password is required",
        "Password: ****",
        "password=",
        "wrong password for bob: try again",
        "password_file=/etc/x passwordResetRequired=true",
        "std::token::parse failed: key::missing",
        "the bearer of bad news",
        "Bearer authentication failed",
        "authorization: denied for user 5",
        "https://example.org:8443/a@b?x=1",
        "git@example.org:team/repo.git",
        "if password == stored || token != other",
        "a sk-learn model and a hf_hub cache",
        "pass=3 fail=2 skip=0",
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
        "eyJust a word",
        "",
    ] {
        stays(text);
    }
}

#[test]
fn addresses_are_masked_where_that_is_chosen() {
    let emails = Masking { emails: true };
    let text = "mail from ann.b+x@example.org to <bob@x.co>, not a@b or @ann";
    assert_eq!(masked_text(text, emails), "mail from ***@example.org to <***@x.co>, not a@b or @ann");
    stays(text);
}

#[test]
fn all_free_text_of_a_notice_is_masked() {
    let secret = "password=hunter2 of ann@example.org";
    let notice = Notice {
        title: secret.to_owned(),
        because: "ann@example.org, last change".to_owned(),
        notes: vec![secret.to_owned()],
        labels: vec![
            ("api_key".to_owned(), "0a1b2c3d4e5f".to_owned()),
            ("env".to_owned(), "prod".to_owned()),
        ],
        rows: vec![NoticeRow {
            title: secret.to_owned(),
            alert: Some("password=x".to_owned()),
            evidence: Evidence { sample: Some(secret.into()), ..Evidence::default() },
            url: Some("https://u:p@git.example/x".to_owned()),
            ..NoticeRow::default()
        }],
        ..Notice::default()
    };
    let masked = masked(&notice, Masking { emails: true });
    let said = "password=*** of ***@example.org";
    assert_eq!((masked.title.as_str(), masked.notes[0].as_str()), (said, said));
    assert_eq!(masked.because, "ann@example.org, last change");
    assert_eq!(
        masked.labels,
        [("api_key".to_owned(), MASK.to_owned()), ("env".to_owned(), "prod".to_owned())]
    );
    let row = &masked.rows[0];
    assert_eq!((row.title.as_str(), row.evidence.sample.as_deref()), (said, Some(said)));
    assert_eq!(row.alert.as_deref(), Some("password=x"), "buttons need it as it is");
    assert_eq!(row.url.as_deref(), Some("https://u:***@git.example/x"));
}

/// Every text is read to its end, between characters; a quadratic scan of these would not end in a test.
#[test]
fn no_text_takes_long() {
    for part in [
        "password=",
        "token=",
        "token=\"",
        "password=\"required ",
        "sk-",
        "eyJaaaaaaaaaa.",
        "eyJaaaaaaaaaa-",
        "://a:",
        "://",
        "a@a",
        "4111 ",
        "4",
        "-----BEGIN PRIVATE KEY-----",
        "-----BEGIN ",
        "Bearer ",
        "\\\"",
        "ä=",
        "=ä",
        "key: ",
        "--token ",
        "Cookie: a ",
        "password=\"\\ß",
    ] {
        let text = part.repeat(1 << 14);
        let _ = masked_text(&text, Masking { emails: true });
    }
}

/// Texts of many fragments: none is cut within a character, and masking twice changes nothing.
#[test]
fn any_text_is_masked_once() {
    const PARTS: &[&str] = &[
        "password",
        "token",
        "key",
        "api",
        "=",
        ":",
        "\"",
        "'",
        "\\",
        " ",
        "  ",
        "ä",
        "ß𝄞",
        "hunter2",
        "a1b2c3d4e5f6",
        "://",
        "@",
        ".",
        "x.org",
        "eyJhbGciOiJI",
        "-",
        "--",
        "-----BEGIN ",
        "PRIVATE KEY-----",
        "-----END ",
        "Bearer ",
        "4111 1111 1111 1111",
        "\n",
        ",",
        ";",
        "&",
        ")",
        "(",
        "Authorization",
        "Basic ",
        "Cookie",
        "***",
        "/",
        "<",
        "u:",
    ];
    for seed in 1..20_000_u64 {
        let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mut text = String::new();
        for _ in 0..12 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            text.push_str(PARTS[(state % PARTS.len() as u64) as usize]);
        }
        let once = masked_text(&text, Masking { emails: true });
        let twice = masked_text(&once, Masking { emails: true });
        assert_eq!(once, twice, "seed {seed}: {text:?}");
    }
}
