# The pieces arrive as calls of add(), one a piece of code; the prompt after each says that it was taken. end() prints
# the check when all is done: damaged code may do nothing without an error.
class Put:
    def __init__(self, name, temp):
        self.name = name
        self.temp = temp
        self.f = open(temp, "wb")
        self.check = 1
        self.sum(bytes(name + temp, "utf-8"))

    def sum(self, data):
        check = self.check
        for c in data:
            check = (check * 31 + c) % 65521
        self.check = check

    def add(self, data):
        if self.f.write(data) != len(data):
            raise OSError(28)
        self.sum(data)

    def end(self, size, check):
        import os

        self.f.close()
        if check != self.check:
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
