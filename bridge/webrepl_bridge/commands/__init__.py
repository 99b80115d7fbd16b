"""The subcommands, and what they share.

ports, control, files, running, shim   the subcommands, by what they are about
boards     how they say which board they mean, reach it, and end
options    the options that say which bridge is meant
progress   what people see of files on their way
console    the terminal that a command runs in, key by key
"""
