"""Many boards, kept: opened, watched, opened again.

lab          all boards of one bridge
recorder     recordings that asciinema plays
keeper       one board: has it opened again whenever that makes sense, for as long as the bridge runs
whereabouts  pure: which serial port a board is on now
backoff      pure: how long to wait before the next try
hotplug      says when serial ports may have come or gone
naming       pure: how boards are called when nobody has given them a name
plan         pure: what an operator wants of a bridge, and what a change of that takes
"""
