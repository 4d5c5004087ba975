/* A program with a formatter of its own, whose core function puts a header before the message. */
#include <stdarg.h>
#include <unistd.h>

static const char *stages[] = { "starting", "running" };

char *my_vformat(char *buf, char *last, const char *fmt, va_list args) {
    while (*fmt && buf < last) {
        if (*fmt != '%') {
            *buf++ = *fmt++;
            continue;
        }
        switch (*++fmt) {
        case 'V': buf = put_counted(buf, va_arg(args, void *)); break;
        case 's': buf = put_text(buf, va_arg(args, char *)); break;
        case 'O': buf = put_offset(buf, va_arg(args, long)); break;
        case 'T': buf = put_time(buf, va_arg(args, long)); break;
        case 'd': buf = put_number(buf, va_arg(args, int)); break;
        case 'p': buf = put_pointer(buf, va_arg(args, void *)); break;
        }
        fmt++;
    }
    return buf;
}

char *my_format(char *buf, char *last, const char *fmt, ...) {
    char *p;
    va_list args;

    va_start(args, fmt);
    p = my_vformat(buf, last, fmt, args);
    va_end(args);
    return p;
}

void log_core(int level, const char *fmt, ...) {
#if VARIADIC
    va_list args;
#endif
    char *p, *last;
    char line[256];

    last = line + 256;
    p = my_format(line, last, "%T [%V] ", now, &names[level]);
    p = my_format(p, last, "%d#%d: ", pid, tid);
#if VARIADIC
    va_start(args, fmt);
    p = my_vformat(p, last, fmt, args);
    va_end(args);
#else
    p = my_vformat(p, last, fmt, args);
#endif
    *p++ = '\n';
    write(2, line, p - line);
}

#define log_debug1(log, fmt, arg)                                             \
    if (log)                                                                  \
        log_core(7, fmt, arg)

#define enqueue(item)                                                         \
    do {                                                                      \
        item->next = queue;                                                   \
        log_core(7, "item %p waits", item);                                   \
    } while (0)

void work(void *name, long offset, unsigned count) {
    log_core(4, "file \"%V\" is read from %O", name, offset);
    log_debug1(trace, "%ui handlers are left", count);
    log_core(3, "stage is %s", stages[count]);
    enqueue(first);
}
