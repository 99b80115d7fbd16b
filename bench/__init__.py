"""Measurements of the bridge beside its peers, on emulated boards, in one run: `make bench`.

boards_and_bridges  a board, and a bridge on it as a process of its own
peers               mpremote and mpytool, as whole commands
transfers           put and get rates as shares of the line; with slow flash, times the least that is possible
far_boards          a bridge behind a bridge, and a board that calls
latency             keystroke to echo, direct and through the bridge; start to first prompt; idle CPU

The figures are medians; machines differ and are busy, so compare within one run only.
"""
