"""webrepl-bridge: MicroPython's WebREPL for boards on a wire.

A glossary, as the code uses the words:

frame      what a codec cuts out of a byte stream
message    one WebREPL text or binary message
record     one WebREPL binary request or reply
terminal   the REPL's text, both directions
lab        all boards of one bridge
keeper     what opens one board again whenever it is gone
session    a board's single REPL, shared by everyone who is attached
client     one attached connection
holder     the client that has the REPL in raw or paste mode
frontend   one way in for clients; turns its protocol into calls on a session
board      a board's terminal, files and control, whatever runs on it
transport  a way to reach a board; opening one gives a stream
stream     bytes to and from one wire
program    code that the bridge sends to the board and that runs there

Data goes straight down and straight up: frontends, lab, session, boards, transports.
"""
