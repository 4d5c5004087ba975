//! What names say: words that mean logging, words that mean a level.

use dice_catalog::Level;

/// The words of a name, lower case: split at `_`, at digits' end and where a capital begins.
pub(super) fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut before = '_';
    let mut chars = name.chars().peekable();
    let mut word = String::new();
    while let Some(c) = chars.next() {
        let next_is_lower = chars.peek().is_some_and(char::is_ascii_lowercase);
        let starts = c.is_ascii_uppercase()
            && (before.is_ascii_lowercase()
                || before.is_ascii_digit()
                || (before.is_ascii_uppercase() && next_is_lower));
        if (starts || !c.is_alphanumeric()) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if c.is_alphanumeric() {
            word.push(c.to_ascii_lowercase());
        }
        before = c;
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// Whether a word says that something is logged.
fn is_log_word(word: &str) -> bool {
    let bare = word.trim_end_matches(|c: char| c.is_ascii_digit());
    matches!(
        bare,
        "log"
            | "logs"
            | "logger"
            | "logging"
            | "logf"
            | "logit"
            | "logv"
            | "vlog"
            | "elog"
            | "zlog"
            | "slog"
            | "klog"
            | "mlog"
            | "plog"
            | "dlog"
            | "nlog"
            | "xlog"
            | "logmsg"
            | "logerr"
            | "logerror"
            | "logdebug"
            | "loginfo"
            | "logwarn"
            | "logprintf"
            | "printlog"
            | "err"
            | "errs"
            | "errx"
            | "error"
            | "errorf"
            | "errorx"
            | "errmsg"
            | "perr"
            | "eprintf"
            | "warn"
            | "warnx"
            | "warnf"
            | "warnc"
            | "warning"
            | "warningx"
            | "wrn"
            | "vwarn"
            | "verr"
            | "info"
            | "infof"
            | "inf"
            | "notice"
            | "debug"
            | "debugf"
            | "debugx"
            | "dbg"
            | "dbgprintf"
            | "dprintk"
            | "printk"
            | "dprintf"
            | "trace"
            | "tracef"
            | "fatal"
            | "fatalx"
            | "fatalf"
            | "panic"
            | "crit"
            | "critical"
            | "alert"
            | "emerg"
            | "emergency"
            | "verbose"
            | "die"
            | "bail"
            | "syslog"
            | "vsyslog"
            | "audit"
            | "failf"
            | "diag"
            | "complain"
    )
}

/// Words beside a log word that make it a question, a setting or a reply rather than a message.
fn is_reply_word(word: &str) -> bool {
    matches!(
        word,
        "reply"
            | "response"
            | "respond"
            | "usage"
            | "help"
            | "send"
            | "set"
            | "get"
            | "str"
            | "string"
            | "name"
            | "code"
            | "to"
            | "from"
            | "parse"
            | "format"
            | "fmt"
            | "level"
            | "is"
            | "has"
            | "init"
            | "open"
            | "close"
            | "free"
            | "new"
            | "alloc"
            | "file"
            | "path"
            | "size"
            | "len"
            | "count"
            | "stats"
            | "page"
            | "strdup"
            | "strerror"
            | "buf"
            | "buffer"
            | "append"
            | "sprintf"
            | "snprintf"
    )
}

/// Whether a name says that it logs.
pub(super) fn is_log_name(name: &str) -> bool {
    let words = words(name);
    words.iter().any(|word| is_log_word(word))
        && !words.iter().any(|word| matches!(word.as_str(), "reply" | "response" | "usage"))
}

/// Whether a name says that something is kept for later rather than printed.
pub(super) fn is_setting_name(name: &str) -> bool {
    words(name).iter().any(|word| matches!(word.as_str(), "set" | "get" | "append" | "parse" | "init"))
}

/// Whether a name has a log word and nothing that speaks against it: for callees of which only the name is known.
pub(super) fn is_plain_log_name(name: &str) -> bool {
    let words = words(name);
    words.iter().any(|word| is_log_word(word)) && !words.iter().any(|word| is_reply_word(word))
}

/// Whether a name has a word that speaks of user output rather than of a log.
pub(super) fn is_reply_name(name: &str) -> bool {
    words(name).iter().any(|word| {
        matches!(
            word.as_str(),
            "reply" | "response" | "usage" | "help" | "show" | "print" | "dump" | "display"
        )
    })
}

/// Whether the program ends after what is called so.
pub(super) fn is_fatal_name(name: &str) -> bool {
    words(name).iter().any(|word| {
        matches!(word.as_str(), "fatal" | "fatalx" | "fatalf" | "panic" | "die" | "bail" | "abort")
    })
}

/// Whether a name says that it checks what must be true.
pub(super) fn is_assert_name(name: &str) -> bool {
    words(name)
        .iter()
        .any(|word| matches!(word.as_str(), "assert" | "assertion" | "bug" | "assume" | "invariant"))
}

/// The level that a name speaks of: its last word that is one, `logit` and `log_it` none.
pub(super) fn level_of_name(name: &str) -> Option<Level> {
    let words = words(name);
    words.iter().rev().find_map(|word| level_of_word(word))
}

fn level_of_word(word: &str) -> Option<Level> {
    match word {
        // These say that something is logged, not how serious it is.
        "log" | "config" | "message" | "detail" | "hint" | "note" => None,
        "errx" | "errorf" | "verr" | "failf" | "perror" | "eprintf" | "logerr" | "logerror" | "errmsg" => {
            Some(Level::Error)
        }
        "warnx" | "warnf" | "vwarn" | "wrn" | "logwarn" => Some(Level::Warning),
        "die" | "bail" | "fatalx" | "fatalf" => Some(Level::Critical),
        "dprintk" | "dbgprintf" | "debugf" | "logdebug" | "diag" | "dev" => Some(Level::Debug),
        "infof" | "loginfo" => Some(Level::Info),
        "tracef" => Some(Level::Trace),
        word => Level::from_word(word)
            .or_else(|| Level::from_word(word.trim_end_matches(|c: char| c.is_ascii_digit()))),
    }
}

/// The level of a constant: `LL_WARNING`, `NGX_LOG_ERR`, `LogLevelWarn`.
pub(super) fn level_of_constant(name: &str) -> Option<Level> {
    let words = words(name);
    let word = words.iter().rev().find_map(|word| level_of_word(word));
    // `LL_LOG` and `LOG_MESSAGE` are levels of their own once no other word is one.
    word.or_else(|| words.last().and_then(|word| if words.len() > 1 { Level::from_word(word) } else { None }))
}

/// Whether a parameter of this name or type is a level.
pub(super) fn is_level_param(name: &str, kind: &str) -> bool {
    let by_name = matches!(
        name.trim_matches('_'),
        "level"
            | "lvl"
            | "prio"
            | "priority"
            | "severity"
            | "pri"
            | "loglevel"
            | "log_level"
            | "logLevel"
            | "lev"
            | "elevel"
            | "sev"
            | "verbosity"
            | "debug_level"
    );
    by_name
        || words(kind)
            .iter()
            .any(|word| matches!(word.as_str(), "level" | "loglevel" | "severity" | "priority"))
}

/// Whether a parameter of this name is a message.
pub(super) fn is_text_param(name: &str) -> bool {
    matches!(
        name.trim_matches('_'),
        "fmt"
            | "format"
            | "msg"
            | "message"
            | "text"
            | "str"
            | "string"
            | "reason"
            | "errmsg"
            | "err_msg"
            | "error"
            | "err"
            | "what"
            | "why"
            | "desc"
            | "description"
            | "mesg"
            | "txt"
            | "errstr"
            | "error_msg"
            | "error_message"
            | "warning"
            | "log"
            | "fmtstr"
            | "template"
            | "cause"
            | "logmsg"
            | "comment"
            | "title"
            | "estr"
    )
}

/// Whether a `FILE*` or descriptor of this name is a log.
pub(super) fn is_log_stream(name: &str) -> bool {
    words(name).iter().any(|word| {
        matches!(
            word.as_str(),
            "log"
                | "logfile"
                | "logfp"
                | "logf"
                | "err"
                | "dbg"
                | "debug"
                | "trace"
                | "logstream"
                | "errfp"
                | "logfd"
                | "error"
        )
    })
}

#[cfg(test)]
mod tests {
    use dice_catalog::Level;

    #[test]
    fn names_are_split_into_words() {
        assert_eq!(super::words("ngx_log_debug0"), ["ngx", "log", "debug0"]);
        assert_eq!(super::words("virReportSystemError"), ["vir", "report", "system", "error"]);
        assert_eq!(super::words("serverLogRaw"), ["server", "log", "raw"]);
        assert_eq!(super::words("HTTPError"), ["http", "error"]);
    }

    #[test]
    fn names_that_log() {
        for name in [
            "serverLog",
            "ap_log_error",
            "fatal_fr",
            "zlog_err",
            "debug3",
            "DEBUGF",
            "VIR_WARN",
            "warnx",
            "i_panic",
        ] {
            assert!(super::is_log_name(name), "{name}");
        }
        for name in
            ["login", "catalog_open", "backlog", "strerror", "dialog", "addReplyError", "perform", "message"]
        {
            assert!(!super::is_log_name(name), "{name}");
        }
    }

    #[test]
    fn constants_read_as_levels() {
        let check =
            |name: &str, level: Option<Level>| assert_eq!(super::level_of_constant(name), level, "{name}");
        check("LL_WARNING", Some(Level::Warning));
        check("LL_VERBOSE", Some(Level::Debug));
        check("LOG_ERR", Some(Level::Error));
        check("NGX_LOG_EMERG", Some(Level::Critical));
        check("SYSLOG_LEVEL_DEBUG1", Some(Level::Debug));
        check("LogLevelInfo", Some(Level::Info));
        check("DEBUG2", Some(Level::Debug));
        check("MSGL", None);
        check("level", None);
    }
}
