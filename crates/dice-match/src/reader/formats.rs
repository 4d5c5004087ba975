//! The known text headers, as data.
//!
//! A row is all there is to a format: its name, what its header looks like, what kind of header it is.
//! Names of groups say what a part means; [`PARTS`] lists them. A header ends where the message begins,
//! so no pattern describes messages. Shapes that many formats share are written `%NAME%` and listed in
//! [`SHAPES`].

/// How a row is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// What carries lines of programs: the message has a header of its own, perhaps.
    Transport,
    /// What a program writes itself.
    Program,
    /// What a program may write itself, or what may be its message: it gives way to every other row.
    Loose,
    /// Transport that looks like much else: it gives way to rows that are not loose.
    LooseTransport,
    /// The line tells of a request; no statement printed it.
    Access,
}

/// What no regular expression says about a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rest {
    /// Nothing: the message is what follows.
    Plain,
    /// Spans, target and place of a `tracing` line follow, then the message.
    Spans,
    /// The logger's name stands in parentheses at the end of the line.
    TargetLast,
    /// `', file:line:column` stands at the end of the line.
    PlaceLast,
    /// Only a duration at the end of the line, `+2ms`, shows that it is this format.
    DurationLast,
    /// The message is on the next line.
    NextLine,
}

/// One header format.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) rest: Rest,
    /// It is little more than a time: more parts may follow in lines of other programs.
    pub(super) gives_way: bool,
    /// Alternatives. They are read fastest when no part can begin with what the part before it can go on
    /// with; two alternatives are often the way to that.
    pub(super) headers: &'static [&'static str],
}

/// What a group of a header means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// A time in any shape that shows what it is.
    Time,
    /// A time as glog writes it.
    GlogTime,
    /// Seconds or less since 1970.
    Epoch,
    /// A level: a word, a letter or a sign.
    Level,
    /// A syslog priority: eight times the facility, plus the level.
    Priority,
    Host,
    Service,
    Pid,
    Target,
    Function,
    File,
    Line,
    MessageId,
    /// `F` or `P…`: whether the line is whole.
    Wholeness,
    /// A level, or `DETAIL` and the like, which say that the message before goes on.
    LevelOrMore,
    /// An empty group: the message begins here, although the header must look further.
    Message,
}

/// The groups' names.
pub(super) const PARTS: &[(&str, Part)] = &[
    ("time", Part::Time),
    ("glog", Part::GlogTime),
    ("epoch", Part::Epoch),
    ("level", Part::Level),
    ("priority", Part::Priority),
    ("host", Part::Host),
    ("service", Part::Service),
    ("pid", Part::Pid),
    ("target", Part::Target),
    ("function", Part::Function),
    ("file", Part::File),
    ("line", Part::Line),
    ("id", Part::MessageId),
    ("whole", Part::Wholeness),
    ("level_or_more", Part::LevelOrMore),
    ("message", Part::Message),
];

/// Shapes that several headers share.
pub(super) const SHAPES: &[(&str, &str)] = &[
    ("%RFC3339%", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?"),
    ("%DATE%", r"\d{4}-\d\d-\d\d"),
    ("%CLOCK%", r"\d\d:\d\d:\d\d"),
    ("%MONTH%", r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"),
    ("%RUST%", r"(?:TRACE|DEBUG|INFO|WARN|ERROR)"),
    ("%JAVA%", r"(?:TRACE|DEBUG|INFO|WARN|ERROR|FATAL)"),
    (
        "%POSTGRES%",
        concat!(
            r"(?:DEBUG|DEBUG1|DEBUG2|DEBUG3|DEBUG4|DEBUG5|LOG|INFO|NOTICE|WARNING|ERROR|FATAL|PANIC|",
            r"DETAIL|HINT|STATEMENT|CONTEXT|QUERY|LOCATION)"
        ),
    ),
    ("%TAG%", r"(?P<service>[^\s:\[]+)(?:\[(?P<pid>[^\]\s]+)\])?:"),
    // An address may hold colons; what ends in one is no host.
    ("%HOST%", r":*[^\s\[:]+(?::+[^\s\[:]+)*"),
    ("%PATH%", r"[A-Za-z_]\w*(?:::\w+)*"),
];

const fn row(name: &'static str, kind: Kind, headers: &'static [&'static str]) -> Row {
    Row { name, kind, rest: Rest::Plain, gives_way: false, headers }
}

/// A row that is little more than a time.
const fn short(name: &'static str, kind: Kind, headers: &'static [&'static str]) -> Row {
    Row { name, kind, rest: Rest::Plain, gives_way: true, headers }
}

const fn row_with(name: &'static str, kind: Kind, rest: Rest, headers: &'static [&'static str]) -> Row {
    Row { name, kind, rest, gives_way: false, headers }
}

use Kind::{Access, Loose, LooseTransport, Program, Transport};

/// All header formats. The longest header that fits wins, the first of the longest; loose rows come last.
pub(super) const ROWS: &[Row] = &[
    // What carries lines.
    row(
        "rfc5424",
        Transport,
        &[concat!(
            r"<(?P<priority>\d+)>1 (?P<time>-|%RFC3339%) (?P<host>\S+) (?P<service>\S+) (?P<pid>\S+) ",
            r#"(?P<id>\S+) (?:-|(?:\[(?:[^\]\\"]|\\.|"(?:[^"\\]|\\.)*")*\])+)(?:  ?)?"#
        )],
    ),
    row("rsyslog-forward", Transport, &[r"<(?P<priority>\d+)>(?P<time>%RFC3339%) (?P<host>%HOST%) %TAG% ?"]),
    row(
        "rfc3164",
        Transport,
        &[
            r"<(?P<priority>\d+)>(?P<time>%MONTH% [ \d]\d %CLOCK%) (?P<host>%HOST%) %TAG% ?",
            r"<(?P<priority>\d+)>(?P<time>%MONTH% [ \d]\d %CLOCK%) %TAG% ?",
        ],
    ),
    row("octet-counted", Transport, &[r"[1-9]\d* (?P<message>)<\d+>"]),
    row("cri", Transport, &[r"(?P<time>%RFC3339%) (?:stdout|stderr) (?P<whole>[FP])(?::[^ ]*)? "]),
    row("compose", Transport, &[r"(?P<service>[A-Za-z][\w.-]*-\d+) +\| "]),
    short("dmesg", Program, &[r"(?:<(?P<priority>\d+)>)?\[ *\d+\.\d{6}\](?:\[ *[TC]\d+\])? "]),
    row("kmsg", Program, &[r"(?P<priority>\d+),\d+,\d+,[^\s,;]*(?:,[^\s;]*)?;"]),
    row("sd-daemon", Transport, &[r"<(?P<priority>[0-7])>"]),
    // Rust.
    row_with(
        "tracing",
        Program,
        Rest::Spans,
        &[r"(?P<time>%RFC3339%) +(?P<level>%RUST%) ", r" *\d+\.\d+s +(?P<level>%RUST%) "],
    ),
    row_with("tracing-pretty", Program, Rest::Spans, &[r"  (?P<time>%RFC3339%) +(?P<level>%RUST%) "]),
    row_with(
        "tracing-untimed",
        Loose,
        Rest::Spans,
        &[r"(?P<level> INFO| WARN|ERROR|DEBUG|TRACE) (?P<message>)[A-Za-z_][\w-]*(?:(?:::\w+)*: |:|\{)"],
    ),
    row(
        "env_logger",
        Program,
        &[
            r"\[(?P<time>%RFC3339%) (?P<level>%RUST%) +(?P<target>[A-Za-z_][\w:.-]*)(?: (?P<file>[^\s:]+):(?P<line>\d+))?\] ",
            r"\[(?P<level>%RUST%) +(?P<target>[A-Za-z_][\w:.-]*)\] ",
            r"(?P<level>%RUST%) +(?P<time>%RFC3339%): (?P<target>%PATH%): ",
        ],
    ),
    row(
        "pretty_env_logger",
        Program,
        &[r" ?(?:(?P<time>%RFC3339%) )? *(?P<level>%RUST%) +(?P<target>[A-Za-z_][\w:.-]*) +> "],
    ),
    short(
        "simple_logger",
        Program,
        &[
            r"(?P<time>%DATE%[T ]%CLOCK%(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)?) (?P<level>%RUST%) +\[(?P<target>[A-Za-z_][\w:.-]*)\] ",
        ],
    ),
    short(
        "simplelog",
        Program,
        &[concat!(
            r"(?P<time>%CLOCK%(?:\.\d+)?) \[(?P<level>%RUST%)\] (?:\(\d+\) )?",
            r"(?:(?P<target>%PATH%): )?(?:\[(?P<file>[^\s:\]]+):(?P<line>\d+)\] )?"
        )],
    ),
    row(
        "flexi_logger",
        Program,
        &[
            r"(?P<level>%RUST%) \[(?P<target>[A-Za-z_][\w:]*)\] ",
            concat!(
                r"\[(?P<time>%DATE%[T ]%CLOCK%(?:\.\d+)?(?: ?[+-]\d\d:\d\d)?)\] (?P<level>%RUST%) ",
                r"\[(?P<target>[A-Za-z_][\w:]*)\] (?:(?P<file>[^\s:]+\.rs):(?P<line>\d+): )?"
            ),
            concat!(
                r"\[(?P<time>%DATE%[T ]%CLOCK%(?:\.\d+)?(?: ?[+-]\d\d:\d\d)?)\] (?P<level>%RUST%) ",
                r"\[(?P<file>[^\s:\]]+\.rs):(?P<line>\d+)\] "
            ),
        ],
    ),
    row(
        "fern",
        Program,
        &[r"\[(?P<time>%DATE%\]\[%CLOCK%)\]\[(?P<target>[A-Za-z_][\w:.-]*)\]\[(?P<level>[A-Z]+)\] "],
    ),
    row("log4rs", Program, &[r"(?P<time>%RFC3339%) (?P<level>%RUST%) +(?P<target>%PATH%) - "]),
    short(
        "slog-term",
        Program,
        &[r"(?P<time>%MONTH% \d\d %CLOCK%\.\d+) (?P<level>CRIT|ERRO|WARN|INFO|DEBG|TRCE) "],
    ),
    row_with(
        "rust-panic",
        Program,
        Rest::NextLine,
        &[r"thread '[^']*'(?: \(\d+\))? panicked at (?P<file>[^\s:']+):(?P<line>\d+):\d+:"],
    ),
    row_with("rust-panic", Program, Rest::PlaceLast, &[r"thread '[^']*' panicked at '"]),
    // C, C++ and Go.
    row(
        "glog",
        Program,
        &[
            r"(?P<level>[IWEFD])(?P<glog>\d{4} %CLOCK%\.\d+) +(?P<pid>\d+) (?P<file>[^:\]\s]+):(?P<line>\d+)\] ",
            r"(?P<level>[IWEFD])(?P<glog>\d{8} %CLOCK%\.\d+) +(?P<pid>\d+) (?P<file>[^:\]\s]+):(?P<line>\d+)\] ",
        ],
    ),
    row(
        "glib",
        Program,
        &[concat!(
            r"(?:\*\* )?(?:\((?P<service>[^\s():]+):(?P<pid>\d+)\): )?(?:(?P<target>[\w.-]+)-)?",
            r"(?P<level>ERROR|CRITICAL|WARNING|Message|MESSAGE|INFO|DEBUG)(?: \*\*: |: %CLOCK%\.\d+: )(?:%CLOCK%\.\d+: )?"
        )],
    ),
    row(
        "nginx",
        Program,
        &[
            concat!(
                r"(?P<time>\d{4}/\d\d/\d\d %CLOCK%) \[(?P<level>debug|info|notice|warn|error|crit|alert|emerg)\] ",
                r"(?P<pid>\d+)#\d+: (?:\*\d+ )?"
            ),
            r"(?P<service>[a-z][\w.-]*): \[(?P<level>debug|info|notice|warn|error|crit|alert|emerg)\] ",
        ],
    ),
    short(
        "go-slog",
        Program,
        &[r"(?P<time>\d{4}/\d\d/\d\d %CLOCK%) (?P<level>(?:DEBUG|INFO|WARN|ERROR)(?:[+-]\d+)?) "],
    ),
    short(
        "go-log",
        Program,
        &[r"(?P<time>\d{4}/\d\d/\d\d %CLOCK%(?:\.\d{6})?) (?:(?P<file>[^\s:]+\.go):(?P<line>\d+): )?"],
    ),
    short(
        "go-log-prefix",
        Program,
        &[concat!(
            r"(?P<service>[A-Za-z\[][^\s:]*):? (?P<time>\d{4}/\d\d/\d\d %CLOCK%(?:\.\d{6})?) ",
            r"(?:(?P<file>[^\s:]+\.go):(?P<line>\d+): )?"
        )],
    ),
    row(
        "zap-console",
        Program,
        &[
            r"(?P<time>%RFC3339%)\t(?P<level>[A-Z]+)\t(?:(?P<file>[^\s:]+\.go):(?P<line>\d+)\t)?",
            concat!(
                r"(?P<time>%RFC3339%)\t(?P<level>[A-Z]+)\t(?P<target>[^\s:/]+)\t",
                r"(?P<file>[^\s:]+\.go):(?P<line>\d+)\t"
            ),
        ],
    ),
    short(
        "zerolog-console",
        Program,
        &[concat!(
            r"(?P<time>\d?\d:\d\d(?:AM|PM)|%RFC3339%) (?P<level>TRC|DBG|INF|WRN|ERR|FTL|PNC|\?\?\?) ",
            r"(?:(?P<file>[^\s:]+\.go):(?P<line>\d+) > )?"
        )],
    ),
    short(
        "spdlog",
        Program,
        &[
            concat!(
                r"\[(?P<time>%DATE% %CLOCK%\.\d+)\] ",
                r"\[(?P<level>trace|debug|info|warning|error|critical)\] (?:\[(?P<file>[^\]:\s]+):(?P<line>\d+)\] )?"
            ),
            concat!(
                r"\[(?P<time>%DATE% %CLOCK%\.\d+)\] \[(?P<target>[^\]\s]+)\] ",
                r"\[(?P<level>trace|debug|info|warning|error|critical)\] (?:\[(?P<file>[^\]:\s]+):(?P<line>\d+)\] )?"
            ),
        ],
    ),
    row("zephyr", Program, &[r"\[%CLOCK%\.\d\d\d,\d\d\d\] <(?P<level>err|wrn|inf|dbg)> (?P<target>\w+): "]),
    row("esp-idf", Program, &[r"(?P<level>[EWIDV]) \(\d+\) (?P<target>[\w.-]+): "]),
    row(
        "logcat",
        Program,
        &[
            concat!(
                r"(?P<time>\d\d-\d\d %CLOCK%\.\d\d\d) +(?P<pid>\d+) +\d+ (?P<level>[VDIWEFA]) ",
                r"(?P<target>[^\s:]+) *: "
            ),
            r"(?P<level>[VDIWEFA])/(?P<target>[^\s(:]+) *\( *(?P<pid>\d+)\): ",
        ],
    ),
    // The JVM.
    short(
        "logback",
        Program,
        &[concat!(
            r"(?P<time>(?:%DATE%[ T])?%CLOCK%[.,]\d\d\d) \[[^\]]+\] (?P<level>%JAVA%) +(?P<target>[^\s:\[]+) ",
            r"--? "
        )],
    ),
    row(
        "log4j",
        Program,
        &[
            r"(?P<time>%DATE% %CLOCK%,\d\d\d) (?P<level>%JAVA%) +\[[^\]]+\] (?:- )?(?P<target>[\w.$]+)(?::| -) ",
            concat!(
                r"(?P<time>%DATE% %CLOCK%,\d\d\d) - (?P<level>%JAVA%) +",
                r"\[(?:[^\]@]*:)?(?P<target>[^\]:@]+)@(?P<line>\d+)\] - "
            ),
            r"(?P<time>%DATE% %CLOCK%,\d\d\d) (?P<level>%JAVA%) +(?P<target>\w+(?:[.$]\w+)+)(?:\(\d+\))?(?::| -) ",
        ],
    ),
    row_with(
        "kafka",
        Program,
        Rest::TargetLast,
        &[r"\[(?P<time>%DATE% %CLOCK%,\d\d\d)\] (?P<level>%JAVA%) "],
    ),
    row(
        "spring-boot",
        Program,
        &[concat!(
            r"(?P<time>%DATE%[T ]%CLOCK%[.,]\d+(?:Z|[+-]\d\d:?\d\d)?) +(?P<level>%JAVA%) (?P<pid>\d+) --- ",
            r"(?:\[(?P<service>[^\] ]+)\] )?\[ *[^\] ][^\]]*\] (?P<target>[^\s\[]+) +: "
        )],
    ),
    row(
        "java-util-logging",
        Program,
        &[r"(?P<time>%MONTH% \d\d, \d{4} \d?\d:\d\d:\d\d [AP]M) (?P<target>[\w.$]+) (?P<function>[\w$<>]+)"],
    ),
    short(
        "elasticsearch",
        Program,
        &[concat!(
            r"\[(?P<time>%RFC3339%)\]\[(?P<level>[A-Z]+) *\]\[(?P<target>[^\] ]+) *\] ",
            r"(?:\[(?P<host>[^\] ]+)\] ?)?"
        )],
    ),
    // Python.
    short("python", Loose, &[r"(?P<level>DEBUG|INFO|WARNING|ERROR|CRITICAL):(?P<target>[A-Za-z_][\w.-]*):"]),
    short(
        "python-asctime",
        Program,
        &[r"(?P<time>%DATE% %CLOCK%,\d\d\d) - (?P<target>[^\s]+) - (?P<level>[A-Z]+) - "],
    ),
    short(
        "gunicorn",
        Program,
        &[r"\[(?P<time>%DATE% %CLOCK% [+-]\d{4})\] \[(?P<pid>\d+)\] \[(?P<level>[A-Z]+)\] "],
    ),
    row("uwsgi", Access, &[r"\[pid: \d+\|app: [^\s|]+\|req: [^\s\]]+\] \S+ \([^)]*\) \{[^}]*\} \[[^\]]+\] "]),
    row(
        "loguru",
        Program,
        &[concat!(
            r"(?P<time>%DATE% %CLOCK%\.\d\d\d) \| (?P<level>[A-Z]+) +\| ",
            r"(?P<target>[\w.]+):(?P<function>[^\s:]+):(?P<line>\d+) - "
        )],
    ),
    row_with("node-debug", Loose, Rest::DurationLast, &[r"(?P<target>[a-z][\w-]*(?::[\w*-]+)+) "]),
    // Servers.
    row(
        "access",
        Access,
        &[concat!(
            r#"\S+ \S+ \S+ \[\d\d/%MONTH%/\d{4}:%CLOCK% [+-]\d{4}\] "(?:[^"\\]|\\.)*" "#,
            r"\d\d\d (?:\d+|-)"
        )],
    ),
    row("haproxy-http", Access, &[r"\S+:\d+ \[\d\d/%MONTH%/\d{4}:%CLOCK%\.\d+\] \S+ [^/\s]+/\S+ [0-9/+-]+ "]),
    row("haproxy", Program, &[r"\[(?P<level>NOTICE|WARNING|ALERT)\] +\((?P<pid>\d+)\) : "]),
    row(
        "apache",
        Program,
        &[concat!(
            r"\[(?P<time>[A-Z][a-z][a-z] %MONTH% \d\d %CLOCK%(?:\.\d+)? \d{4})\] ",
            r"\[(?:(?P<target>[\w-]+):)?(?P<level>\w+)\] \[pid (?P<pid>\d+)(?::tid \d+)?\] ",
            r"(?:(?P<file>[\w./-]+\.c)\((?P<line>\d+)\): )?(?:\(\d+\)[^:]+: )?",
            r"(?:\[(?:client|remote) [^\]]+\] )?(?:(?P<id>AH\d{5}): )?"
        )],
    ),
    row(
        "redis",
        Program,
        &[
            r"(?P<pid>\d+):[XCSM] (?P<time>\d\d %MONTH% \d{4} %CLOCK%(?:\.\d+)?) (?P<level>[.*#-]) ",
            r"(?P<pid>\d+):[XCSM] (?P<time>\d\d %MONTH% %CLOCK%(?:\.\d+)?) (?P<level>[.*#-]) ",
            r"(?P<pid>\d+):signal-handler \((?P<epoch>\d+)\) ",
        ],
    ),
    row(
        "postgres",
        Program,
        &[
            concat!(
                r"(?P<time>%DATE% %CLOCK%(?:\.\d+)? [A-Za-z0-9+-]+) \[(?P<pid>\d+)(?:-\d+)?\]:? ",
                r"(?P<level_or_more>%POSTGRES%):  "
            ),
            concat!(
                r"(?P<time>%DATE% %CLOCK%(?:\.\d+)? [A-Za-z0-9+-]+) \[(?P<pid>\d+)(?:-\d+)?\]:? [^@\s]*@\S* ",
                r"(?P<level_or_more>%POSTGRES%):  "
            ),
        ],
    ),
    row(
        "mysql",
        Program,
        &[concat!(
            r"(?P<time>%RFC3339%) \d+ \[(?P<level>System|Note|Warning|ERROR|Error)\] ",
            r"\[(?P<id>MY-\d{6})\] \[(?P<target>\w+)\] "
        )],
    ),
    // Syslog files have no mark of their own: a time, two words and a colon.
    row(
        "syslog",
        LooseTransport,
        &[
            r"(?P<time>%MONTH% [ \d]\d %CLOCK%(?:\.\d+)?) (?P<host>%HOST%) %TAG% ",
            r"(?P<time>[A-Z][a-z][a-z] %DATE% %CLOCK% [A-Z]+) (?P<host>%HOST%) %TAG% ",
        ],
    ),
    row("syslog-iso", LooseTransport, &[r"(?P<time>%RFC3339%) (?P<host>%HOST%) %TAG% "]),
    row("syslog-tag", LooseTransport, &[r"(?P<service>[A-Za-z][\w./-]*)\[(?P<pid>\d\d+)\]: "]),
];
