/* Formats as people write them. */
#include <syslog.h>

DEFUN (show_thing,
       show_thing_cmd,
       "show thing",
       "Show\nThing\n")
{
    syslog(LOG_INFO, "in a command");
    return 0;
}

AP_DECLARE(void) exported(int n)
{
    syslog(LOG_INFO, "in an exported function");
}

void uses(int yes, int n, const char *s) {
    const char *text = "constant";
    char *msg;

    syslog(LOG_ERR, "adjacent "
           "literals, \"quoted\"\tand %d"
           " more\n", n);
    syslog(yes ? LOG_ERR : LOG_INFO, yes ? "yes %d" : "no %d", n);
    syslog(LOG_INFO, "turned %s, %s", yes ? "on" : "off", s);
    syslog(LOG_INFO, "%s: %s", __func__, text);
    syslog(LOG_INFO, _("translated %s"), s);
    syslog(LOG_INFO, (const char *)("cast"));
    syslog(LOG_INFO, L"wide %d", n);
    syslog(LOG_INFO, dynamic);
    syslog(LOG_WARNING, "error: %m");
    if (yes)
        syslog(LOG_INFO, "then"); /* not for anyone */
    else
        syslog(LOG_INFO, "otherwise"); // #ops, @alice
    syslog(LOG_INFO, "one"); syslog(LOG_INFO, "two"); /* #both */
    syslog(LOG_INFO, "branch "
#ifdef A
           "a"
#else
           "b"
#endif
           " end");
#if 0
    syslog(LOG_INFO, "never");
#endif
    /* syslog(LOG_INFO, "in a comment"); */
    switch (n) {
    case 1: msg = "first"; break;
    default: msg = "second";
    }
    syslog(LOG_INFO, msg);
    log->syslog(LOG_INFO, "a member of that name");
    while (n) {
#ifdef A
        if (n > 1) {
#else
        if (n > 2) {
#endif
            syslog(LOG_INFO, "unbalanced");
        }
    }
}

void after(void) {
    syslog(LOG_INFO, "still inside a function");
    assert(n != 0);
}
