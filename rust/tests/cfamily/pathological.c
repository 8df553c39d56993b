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
