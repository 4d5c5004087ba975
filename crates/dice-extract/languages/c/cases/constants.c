/* Text that stands in a constant, a table or a buffer before it is printed. */
#include <stdio.h>
#include <stdlib.h>
#include <syslog.h>

static const char *refused = "connection refused by %s";
static const char late[] = "too late";
static char *changed = "first value";
static char *reasons[] = { "no such table", "table is full", NULL };
static const char *colours[] = { "red", "green" };

void log_lines(const char *text, size_t len, const char *fmt, ...) {
    char line[80];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    syslog(LOG_INFO, "%s", line);
}

void constants(const char *host, int n) {
    syslog(LOG_ERR, refused, host);
    syslog(LOG_ERR, "%s", late);
    changed = getenv("CHANGED");
    syslog(LOG_ERR, "%s", changed);
    /* Each text of a table is one that may be printed. */
    syslog(LOG_ERR, reasons[n - 1]);
    /* Inside a sentence it is a value. */
    syslog(LOG_ERR, "the light is %s", colours[n]);
    syslog(LOG_ERR, "the light is %s", colours[0] ? "on" : "off");
}

void buffers(const char *host, int n) {
    char once[64], twice[64], handed[64];
    char *heap = malloc(64);

    snprintf(once, sizeof(once), "host %s has %d tables", host, n);
    syslog(LOG_INFO, "%s", once);
    snprintf(heap, 64, "table %d is dropped", n);
    syslog(LOG_INFO, "%s", heap);
    free(heap);
    /* What a buffer holds that is written more than once or handed on is not told. */
    snprintf(twice, sizeof(twice), "one %d", n);
    if (n > 1)
        snprintf(twice, sizeof(twice), "many %d", n);
    syslog(LOG_INFO, "%s", twice);
    snprintf(handed, sizeof(handed), "change %d", n);
    fgets(handed, sizeof(handed), stdin);
    syslog(LOG_INFO, "%s", handed);
}

void lines(const char *text) {
    /* A size before the format that is the size of what is read. */
    log_lines(text, 3, "line of %s: ", text);
}

#define put(buf, size, ...) snprintf(buf, size, __VA_ARGS__)

void macros(int n) {
    char held[64];

    put(held, sizeof(held), "queue %d is empty", n);
    syslog(LOG_INFO, "%s", held);
}
