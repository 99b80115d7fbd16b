"""Pure protocol cores: bytes in, bytes and events out. No I/O, no clock, no randomness.

webrepl_server  the server's side of one WebREPL connection: password, terminal text, records
webrepl_client  the client's side of the records
floor           who may type at a REPL that several share
wiring          where DTR and RTS go, and so how they reset a board
scrollback      what a client that comes late is shown
text_frames     terminal text cut into messages where the firmware would
repl_tracker    what mode a board's REPL is in, from the bytes of both directions
terminal        typing at a board without loss: flow control by echo, by prompt, by raw-paste
raw_repl        dialogues with the raw REPL, as generators that ask for bytes
script          running code at a terminal, by raw_repl
link_watch      who speaks on a wire: a plain REPL, or a shim
plain_frames    RFC 6455 frames on a wire that loses bytes
rfc2217         the server's side of RFC 2217, on top of it: a serial port over a network
tool_lines      what a tool's DTR and RTS do on a shared board
asciicast       a terminal's output as an asciinema recording
transfers       file transfers over the raw REPL, on top of raw_repl
deflated_transfers  a put to a board that can inflate
bundled_transfers   many small files at once
base64_transfers    the same for a terminal that carries text only
text_transfers      and for firmware that cannot do better: inside code, and what it prints
put_files       the request for many small files, and how they follow it
file_requests   the records beyond the standard, and their answers
file_programs   answering them by programs on a stock board
web_workflow    files over HTTP: paths, listings, ranges and conditions
server_events   what webrepl_server tells of a client
errnos          error numbers as boards have them
dialogue        what dialogues are made of
insist          doing again what the line has damaged
edit_line       the line that is being edited at a prompt
retype          giving it back to the board
raw_carrier     a client's raw-REPL code, carried without loss
relayed_terminal  typing through something that loses nothing: another bridge
boot_file       what `shim install` writes into boot.py
"""
