"""Error numbers as MicroPython has them on every board, whatever this computer calls them.

Source: micropython py/mperrno.h.
"""

EPERM = 1
ENOENT = 2
EIO = 5
ENOMEM = 12
EACCES = 13
EBUSY = 16
EEXIST = 17
ENODEV = 19
ENOTDIR = 20
EISDIR = 21
EINVAL = 22
ENOSPC = 28
EROFS = 30
ENAMETOOLONG = 36
ENOSYS = 38
ENOTEMPTY = 39
EBADMSG = 74
ENOTSUP = 95
ECONNRESET = 104
ETIMEDOUT = 110
ECANCELED = 125

WORDS = {
    EPERM: "not permitted",
    ENOENT: "no such file or directory",
    EIO: "input or output failed",
    ENOMEM: "not enough memory",
    EACCES: "permission denied",
    EBUSY: "busy",
    EEXIST: "it exists already",
    ENOTDIR: "not a directory",
    EISDIR: "it is a directory",
    EINVAL: "not a valid name",
    ENOSPC: "no space left",
    EROFS: "the file system is read-only",
    ENOSYS: "it cannot do that",
    ENOTEMPTY: "the directory is not empty",
}
"""What they mean, of a file."""
