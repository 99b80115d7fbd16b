"""`python -m webrepl_bridge`."""

from .cli import main

main()
