"""The local socket: how other processes ask the one that owns an index.

Owns nothing itself; the parts, in the order in which a request meets them:

- `client`: what a caller holds; the only part that a short command has to import
- `wire`: the bytes on the socket, both ways
- `server`: connections, limits, who may ask
- `methods`: what can be asked, also without a socket by the process that owns the index

The protocol is one JSON object a line. A request is ``{"id", "method", "params", "sync_ms"}``; the
answer is ``{"id", "result", "clock", "fresh", "outstanding"}`` or ``{"id", "error": {"type", "message",
"exit_code"}}``. Long answers come as any number of ``{"id", "part": [...]}`` before the last line.
"""
