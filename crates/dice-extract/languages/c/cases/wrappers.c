/* Functions that pass text on, each in another way. */
#include <stdarg.h>
#include <stdio.h>
#include <syslog.h>

#define TEXT_MAX 1024
enum { L_LOW, L_HIGH };

void note(int level, const char *fmt, ...);

/* A buffer that is handed to a function with a raw text. */
void note_raw(int level, const char *msg) {
    syslog(level, "%s", msg);
}

void note(int level, const char *fmt, ...) {
    va_list ap;
    char text[TEXT_MAX];
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    note_raw(level, text);
}

/* A header with a number and words before the caller's text. */
void damaged(int line, char *reason, ...) {
    char text[512];
    int n = snprintf(text, sizeof(text), "Damage near block %d: ", line);
    va_list ap;
    va_start(ap, reason);
    vsnprintf(text + n, sizeof(text) - n, reason, ap);
    va_end(ap);
    note(LOG_ERR, "%s", text);
}

/* An own extension, an own first word. */
void event(int level, char *type, void *peer, const char *fmt, ...) {
    char text[TEXT_MAX];
    va_list ap;
    if (fmt[0] == '%' && fmt[1] == '@') {
        snprintf(text, sizeof(text), "%s %d", name_of(peer), port_of(peer));
        fmt += 2;
    } else {
        text[0] = '\0';
    }
    va_start(ap, fmt);
    vsnprintf(text + strlen(text), sizeof(text) - strlen(text), fmt, ap);
    va_end(ap);
    note(level, "%s %s", type, text);
}

/* Words for some levels only: the plain text is what counts. */
void say(int level, const char *fmt, va_list args) {
    char fmtbuf[256], out[256];
    char *word = NULL;
    switch (level) {
    case L_LOW: word = "low"; break;
    case L_HIGH: word = "high"; break;
    }
    if (word != NULL) {
        snprintf(fmtbuf, sizeof(fmtbuf), "%s: %s", word, fmt);
        vsnprintf(out, sizeof(out), fmtbuf, args);
    } else {
        vsnprintf(out, sizeof(out), fmt, args);
    }
    clean(fmtbuf, out, sizeof(fmtbuf));
    syslog(LOG_INFO, "%.500s", fmtbuf);
}

void verbose(const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    say(LOG_DEBUG, fmt, args);
    va_end(args);
}

/* A number before the format is not the size of a buffer. */
void report_error(const char *file, size_t linenr, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    vsyslog(LOG_ERR, fmt, ap);
    va_end(ap);
}

/* This one does put its text into memory. */
int put(char *buf, size_t size, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(buf, size, fmt, ap);
    va_end(ap);
    return n;
}

static void hang_up(const char *fmt, ...) {
    char buf[128];
    va_list args;
    va_start(args, fmt);
    vsnprintf(buf, sizeof(buf), fmt, args);
    va_end(args);
    verbose("Hanging up: %.100s", buf);
}

int old_style(level, reason)
    int level;
    char *reason;
{
    note(level, "old style: %s\n", reason);
    return 0;
}

void uses(void *peer, int ok, int n) {
    void (*speak)(const char *fmt, ...) = verbose;
    const char *what;

    note(LOG_WARNING, "disk %s is %d%% full\n", "sda", n);
    note_raw(LOG_NOTICE, "ready");
    damaged(3, "unknown type %d", n);
    event(LOG_WARNING, "+down", peer, "%@ quorum %d", n);
    event(LOG_WARNING, "+epoch", NULL, "%llu", (unsigned long long)n);
    report_error(__FILE__, __LINE__, "no such thing: %s", strerror(errno));
    put(buf, sizeof(buf), "only %d of them", n);
    hang_up("too many attempts for %s", "you");
    if (ok)
        speak = syslog_later;
    if (ok)
        what = "Accepted";
    else
        what = ok ? "Postponed" : "Failed";
    speak("%s password for %s", what, user);
    perror("open");
    fprintf(stderr, "stderr %u\n", n);
    fprintf(logfile, "a file called log %u\n", n);
    fprintf(out, "some other file %u\n", n);
    fputs("a plain 100%\n", stderr);
    printf("to the terminal\n");
}
