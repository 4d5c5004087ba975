//! Names of environment variables with secrets, and what stands there by mistake: the secret itself.

/// What secrets of services that people use begin with.
const BEGINNINGS: [&str; 14] = [
    "ghp_",
    "gho_",
    "ghs_",
    "ghu_",
    "ghr_",
    "github_pat_",
    "glpat_",
    "sk_",
    "rk_",
    "pk_",
    "whsec_",
    "npm_",
    "hf_",
    "xox",
];

/// What names of variables with secrets say that they hold.
const HOLDINGS: [&str; 12] = [
    "AUTH",
    "CREDENTIAL",
    "CREDENTIALS",
    "KEY",
    "KEYS",
    "PASS",
    "PASSWD",
    "PASSWORD",
    "PW",
    "SECRET",
    "SECRETS",
    "TOKEN",
];

/// The longest word of a name that may be shown.
const MAX_WORD_BYTES: usize = 16;
/// Digits in a word of such a name: a version, a number.
const MAX_DIGITS: usize = 2;

/// Whether what stands in a key for the name of a variable may be shown in a message: it says itself that it is
/// the name of a secret, and nobody has a secret that is written so. All others are pointed at.
pub fn is_showable_variable(name: &str) -> bool {
    let mut holds = false;
    let mut words = name.split('_');
    let is_plain = words.all(|word| {
        let letters = word.trim_end_matches(|c: char| c.is_ascii_digit());
        holds |= HOLDINGS.contains(&letters);
        word.len() <= MAX_WORD_BYTES
            && digits(word) <= MAX_DIGITS
            && word.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
    });
    is_plain && holds && !looks_like_secret(name)
}

/// Whether it cannot be the name of a variable, or is what secrets look like and no name does.
pub(crate) fn is_no_variable(name: &str) -> bool {
    name.is_empty()
        || name.starts_with(|c: char| c.is_ascii_digit())
        || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        || looks_like_secret(name)
}

fn looks_like_secret(name: &str) -> bool {
    // Letters and digits that are mixed are no word; a version has one digit or two.
    let is_mixed = |word: &str| {
        let n_digits = digits(word);
        word.len() >= MAX_WORD_BYTES && n_digits > MAX_DIGITS && n_digits < word.len()
    };
    BEGINNINGS.iter().any(|beginning| name.starts_with(beginning)) || name.split('_').any(is_mixed)
}

fn digits(word: &str) -> usize {
    word.bytes().filter(u8::is_ascii_digit).count()
}

#[cfg(test)]
mod tests {
    use super::{is_no_variable, is_showable_variable};

    #[track_caller]
    fn check(name: &str, is_taken: bool, is_shown: bool) {
        assert_eq!((!is_no_variable(name), is_showable_variable(name)), (is_taken, is_shown), "{name}");
    }

    #[test]
    fn a_secret_in_the_place_of_a_name_is_not_shown() {
        for name in
            ["SLACK_TOKEN", "PAGERDUTY_KEY_2", "KEY2", "HOOK_SECRET_OLD", "S3_SECRET", "DICE_CI_TOKEN"]
        {
            check(name, true, true);
        }
        // It may be a name, and it may be a password.
        for name in ["slack_token", "SlackToken", "HUNTER_TWO", "hunter2", "CORRECT_HORSE", "_", "SLACK"] {
            check(name, true, false);
        }
        for secret in [
            "",
            "2much",
            "swordfish!",
            "xoxb-1-2-abc",
            "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
            "sk_live_abcdef",
            "R0ABCDE12345678901234567890ABCDE",
            "0123456789abcdef0123456789abcdef",
            "AKIAIOSFODNN7EXAMP1E23",
            "KEY_d41d8cd98f00b204e9800998ecf8427e",
        ] {
            check(secret, false, false);
        }
    }
}
