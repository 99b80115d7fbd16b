"""A board's terminal, files and control, whatever runs on it.

opening         from a URL to a board
lending         a wire that a tool can have for itself
resetting       starting a board anew, or its boot loader
base            the interface that the session sees
terminal_board  what all kinds have in common: a REPL that one types at without loss
stock           StockBoard: stock firmware, by its own REPL
programs        the programs that it sends to the board
repl_wire       where its stream, a clock and the pure cores meet
webrepl_board   what boards have in common that run the firmware's own WebREPL
remote          RemoteBoard: the firmware's own WebREPL, over a WebSocket
plain           PlainBoard: the firmware's own WebREPL on the wire, in RFC 6455 frames
record_board    what boards have in common whose files are asked for by records
records         one such question, and files as they come and go by them
linked          LinkedBoard: a board that runs the shim, by the link
bridged         BridgedBoard: a board behind another bridge
bridge_wire     where its connection and the pure cores meet
auto            AutoBoard: one or the other, found out by listening
link_wire       where its stream, a clock and the pure cores meet
shim_files      which files the shim is on a board
shim_installer  putting them there, and taking them off
room            asking a board for room before a large file is sent
wire            what these pumps have in common
"""
