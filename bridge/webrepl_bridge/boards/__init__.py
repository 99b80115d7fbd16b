"""A board's terminal, files and control, whatever runs on it.

base   the interface that the session sees
stock  StockBoard: stock firmware, by its own REPL
"""
