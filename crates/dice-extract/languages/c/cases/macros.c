/* Macros around callees. */
#include <stdio.h>
#include <syslog.h>

void emit_log(int level, const char *file, int line, const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* The same macro three times; the empty one does not count. */
#if defined(NO_LOG)
#define info(...)
#elif defined(GNU)
#define info(args...) emit_log(LOG_INFO, __FILE__, __LINE__, args)
#else
#define info(...) emit_log(LOG_INFO, __FILE__, __LINE__, __VA_ARGS__)
#endif

/* A macro that stands before the function of its name. */
void log_trouble(void *where, const char *file, int line, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
#define log_trouble(where, ...) log_trouble(where, __FILE__, __LINE__, __VA_ARGS__)

/* One name that is three arguments. */
#define HERE __FILE__, __LINE__, 7
#define NUMBERED(n) "E" #n ": "
void mark_log(const char *file, int line, int module, int level, const char *fmt, ...);

#define PFX "net: "
#define PFX2 "tcp: "
#define COUNT_FMT "%lu"

/* A comment inside a continued definition. */
#define checked(x) do { \
        if (!(x)) {     /* it should */ \
            info("check %s failed", #x);  /* #checks */ \
        } \
    } while (0)

#define with_func(fmt, ...) emit_log(LOG_DEBUG, __FILE__, __LINE__, "%s: " fmt, __func__, ##__VA_ARGS__)
#define out_of_memory() emit_log(LOG_CRIT, __FILE__, __LINE__, "Out of memory.")
#define zlog_warn(...) emit_log(LOG_WARNING, __FILE__, __LINE__, __VA_ARGS__)
#define zlog_debug(...) emit_log(LOG_DEBUG, __FILE__, __LINE__, __VA_ARGS__)
#define pasted(level, ...) zlog_##level(__VA_ARGS__)
#define DBG(args) printf_debug args
#define printf_debug(...) fprintf(stderr, __VA_ARGS__)
#define QUIET(x) if (verbose_flag) { x; }
#define leveled(level, fmt, ...) ({ \
        int _level = (level); \
        _level <= max_level ? emit_log(_level, __FILE__, __LINE__, fmt, ##__VA_ARGS__) : 0; })
#define leveled_net(level, fmt, ...) leveled(level, "net: " fmt, ##__VA_ARGS__)

void uses(int n, const char *name) {
    info("plain %d", n);
    log_trouble(NULL, "trouble with %s", name);
    mark_log(HERE, LOG_ERR, NUMBERED(01234) "cannot open %s", name);
    info(PFX PFX2 "reset by %s", name);
    info("have " COUNT_FMT " of %" PRIu64 " left " UNKNOWN_FMT, a, b, c);
    checked(n > 0);
    with_func("entered with %d", n);
    out_of_memory();
    pasted(warn, "pasted %d", n);
    DBG(("double %d\n", n));
    QUIET(info("nested in another"));
    leveled(LOG_NOTICE, "leveled %d", n);
    leveled_net(LOG_NOTICE, "link %d", n);
}
