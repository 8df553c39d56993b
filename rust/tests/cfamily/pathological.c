} } ) ] ;
int first(void) { return 0; }
#else
#endif
#endif
= = = ;
"unterminated
int second(void) { return '"'; }
struct { { { int x; } } } ;
((((((
int lost(void);
void third(void)
{
}
#if A
#if B
int fourth(void) {
#elif C
int fifth(void) {
#endif
}
#endif
struct open {
	int x;
void sixth(void)
{
	if (1) {
}

int seventh(void)
{
	return 0;
}
R"(not raw in C)"
int eighth(void) { return 1; }
/* never closed
int ninth(void) { return 1; }

/* A macro that brings the semicolon of the value before it. */
ASN1_SEQUENCE(LINKED) = {
	ASN1_OPT(LINKED, next, LINKED),
} ASN1_SEQUENCE_END(LINKED)

IMPLEMENT_ASN1_FUNCTIONS(LINKED)

static int after_the_template(void)
{
	return 1;
}

static struct ops no_semicolon = {
	.open = after_the_template,
}
static int after_a_lost_semicolon(void)
{
	return 2;
}
