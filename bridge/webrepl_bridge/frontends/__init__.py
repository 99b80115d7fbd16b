"""The ways in: each turns its protocol into calls on a session.

app          one ASGI application: the page, `/health`, and the WebREPL WebSocket
guard        which pages may talk to the bridge: Origin and Host
control      the boards over HTTP: what they do, interrupts, resets
authorization  the password of a request over HTTP
rest         files and the rest of CircuitPython's web workflow over HTTP: rest_files, and rest_serial for the terminal
dial_in      boards that call the bridge
page         what a browser gets at `/`, and the headers that go with it
webrepl      one WebREPL client, from `Password: ` until it leaves
screen       what one client sees, by the shortest way
typist       what one client types, in order, without holding up the rest of it
tools        serial tools, over TCP and RFC 2217
metrics      what Prometheus asks for
neighbours   other bridges on the network, by multicast DNS
passwords    checking a password, and slowing down whoever guesses
listening    the addresses, each with a board at `/`; changed while the bridge runs
server       listening, and running the application as one task among others
addresses    where a client comes from, for the log
dialects     WebSocket as real WebREPL clients speak it: bad keys, unmasked frames
"""
