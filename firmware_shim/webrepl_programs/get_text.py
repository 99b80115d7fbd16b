# Each call of more() prints one piece as a bytes literal, and its check; an empty one is the end.
class Get:
    def __init__(self, name):
        self.f = open(name, "rb")

    def more(self, count):
        data = self.f.read(count)
        check = 1
        for c in data:
            check = (check * 31 + c) % 65521
        print(data, check)
        if not data:
            self.f.close()
