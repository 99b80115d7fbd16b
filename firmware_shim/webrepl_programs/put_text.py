# The pieces arrive as calls of add(), one a piece of code, each with its place and the check of all up to its end.
# Damaged code may do nothing without an error: the check is printed when a piece is there, now or since it came before.
class Put:
    def __init__(self, name, temp):
        self.name = name
        self.temp = temp
        self.f = open(temp, "wb")
        self.size = 0
        self.check = self.sum(1, bytes(name + temp, "utf-8"))

    def sum(self, check, data):
        for c in data:
            check = (check * 31 + c) % 65521
        return check

    def add(self, start, data, check):
        if check != self.check or start + len(data) != self.size:
            if start != self.size or check != self.sum(self.check, data):
                raise OSError(74)
            if self.f.write(data) != len(data):
                raise OSError(28)
            self.size += len(data)
            self.check = check
        print(check)

    def end(self, size, check):
        import os

        self.f.close()
        if check != self.check or size != self.size:
            raise OSError(5)
        if hasattr(os, "rename"):
            try:
                os.rename(self.temp, self.name)
            except OSError as e:
                if e.args[0] != 17:
                    raise
                os.remove(self.name)
                os.rename(self.temp, self.name)
            return print(check)
        # No rename (micro:bit): the temporary file is copied; to a spare name first, to know that there is space.
        for name in (self.temp + "~", self.name):
            with open(self.temp, "rb") as source:
                with open(name, "wb") as target:
                    while 1:
                        data = source.read(64)
                        if not data:
                            break
                        if target.write(data) != len(data):
                            raise OSError(28)
            if name != self.name:
                os.remove(name)
        os.remove(self.temp)
        print(check)

    def give_up(self):
        import os

        self.f.close()
        for name in (self.temp, self.temp + "~"):
            try:
                os.remove(name)
            except OSError:
                pass
