/* A yacc grammar: C between the marks, in actions and after the rules. */
%{
#include <syslog.h>
#include <stdio.h>

static int yylex(void);
static void complain(const char *fmt, ...);
%}

%token WORD NUMBER
%union { int number; char *word; }

%%

lines	: /* empty */
	| lines line '\n'
	;

line	: WORD NUMBER
	{
		syslog(LOG_INFO, "word %s is %d", $1, $2); /* #parsers */
	}
	| error
	{
		yyerrok;
		complain("line %d makes no sense", @1.first_line);
	}
	;

%%

static void
complain(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
}

static int
yylex(void)
{
	if (feof(stdin)) {
		fprintf(stderr, "%s: end of input\n", __func__);
		return (0);
	}
	return (getchar());
}
