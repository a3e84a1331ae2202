"""200 small programs for the trace tests: every kind of frame, in 25 shapes with 8 sets of numbers each."""

import random

# {a} {b} {c} are small integers, {w} {v} words; every program has a function main() without parameters.
SHAPES = {
    "sum_loop": """
def total(n):
    s = 0
    for i in range(n):
        s += i * {a}
    return s

def main():
    return total({b})
""",
    "while_loop": """
def collatz(n):
    steps = 0
    while n != 1 and steps < {c} + 4:
        if n % 2 == 0:
            n //= 2
        else:
            n = 3 * n + 1
        steps += 1
    return n, steps

def main():
    return collatz({b} + 5)
""",
    "nested_loops": """
def main():
    rows = []
    for i in range({a}):
        row = []
        for j in range(2):
            row.append(i * j + {b})
        rows.append(row)
    return rows
""",
    "break_continue": """
def main():
    out = []
    for x in range({a}, {a} + 9):
        if x % 3 == 0:
            continue
        if x > {a} + {b}:
            break
        out.append(x)
    else:
        out.append(-1)
    return out
""",
    "recursion": """
def fact(n):
    if n < 2:
        return 1
    return n * fact(n - 1)

def main():
    return fact({a} + 1)
""",
    "fibonacci": """
def fib(n):
    if n < 2:
        return n
    left = fib(n - 1)
    right = fib(n - 2)
    return left + right

def main():
    return fib({a} % 3 + 2)
""",
    "mutual_recursion": """
def even(n):
    return True if n == 0 else odd(n - 1)

def odd(n):
    return False if n == 0 else even(n - 1)

def main():
    n = {b}
    return even(n), odd(n)
""",
    "letters": """
def count(s, letter):
    n = 0
    for c in s:
        n += int(c == letter)
    return n

def main():
    word = "{w}"
    return count(word, "a") + {a}
""",
    "strings": """
def main():
    s = "{w}-{v}"
    parts = s.split("-")
    joined = "\\n".join(parts)
    quoted = f"it's \\"{{joined}}\\""
    t = quoted.upper()[:{b} + 3]
    return t
""",
    "unicode": """
def main():
    s = "{w} \u00e4\u00f6\u2192\U0001f40d"
    r = s[::-1]
    b = r.encode("utf-8")
    d = {{"\u03ba": r, "tab\\t": b[:{a}]}}
    return d
""",
    "dictionary": """
def invert(d):
    out = {{}}
    for k, v in d.items():
        out.setdefault(v, []).append(k)
    return out

def main():
    d = {{"{w}": {a}, "{v}": {b}, "x": {a}}}
    return invert(d)
""",
    "nested_data": """
def main():
    t = {{"a": [1, {{"b": ({a}, [None, True])}}], "c": {{}}}}
    t["a"][1]["b"][1].append({b} / 4)
    t["c"][{c}] = ((), [], {{1, 2}})
    del t["a"][0]
    return t
""",
    "caught_exception": """
def divide(a, b):
    return a / b

def main():
    try:
        x = divide({a}, {b} - {b})
    except ZeroDivisionError as error:
        x = str(error)
    finally:
        y = {c}
    return x, y
""",
    "custom_exception": """
class Problem(Exception):
    pass

def check(n):
    if n > {b}:
        raise Problem("too large", n)
    return n

def main():
    out = []
    for n in ({a}, {b} + 1):
        try:
            out.append(check(n))
        except Problem as p:
            out.append(p.args)
    return out
""",
    "uncaught_exception": """
def deep(d, n):
    if n == 0:
        return d["{w}"]
    return deep(d, n - 1)

def main():
    return deep({{"{v}x": 1}}, {a} % 3)
""",
    "reraise": """
def inner():
    try:
        [][{a}]
    except IndexError as e:
        raise ValueError("bad {w}") from e

def main():
    try:
        inner()
    except ValueError as e:
        cause = type(e.__cause__).__name__
        return cause
""",
    "generator": """
def squares(n):
    for i in range(n):
        yield i * i

def main():
    s = 0
    for q in squares({a} % 4 + 2):
        s += q
    return s
""",
    "generator_send": """
def running():
    total = 0
    while True:
        x = yield total
        total += x

def main():
    g = running()
    next(g)
    g.send({a})
    r = g.send({b})
    g.close()
    return r
""",
    "yield_from": """
def walk(tree):
    if isinstance(tree, list):
        for t in tree:
            yield from walk(t)
    else:
        yield tree

def main():
    return sum(walk([{a}, [{b}, [{c}]]]))
""",
    "class": """
class Account:
    rate = {c}

    def __init__(self, owner, balance=0):
        self.owner = owner
        self.balance = balance

    def deposit(self, amount):
        self.balance += amount * self.rate
        return self

    def __repr__(self):
        return "Account(%r, %d)" % (self.owner, self.balance)

def main():
    a = Account("{w}", {a})
    a.deposit({b}).deposit(1)
    return a
""",
    "inheritance": """
class Shape:
    def area(self):
        raise NotImplementedError

    def describe(self):
        return "area %d" % self.area()

class Square(Shape):
    def __init__(self, side):
        self.side = side

    def area(self):
        return self.side ** 2

def main():
    shapes = [Square({a}), Square({b})]
    texts = []
    for s in shapes:
        texts.append(s.describe())
    return texts
""",
    "closure": """
def counter(step):
    n = 0
    def bump():
        nonlocal n
        n += step
        return n
    return bump

def main():
    bump = counter({a})
    bump()
    return bump()
""",
    "lambda_sort": """
def main():
    words = ["{w}", "{v}", "kiwi"]
    words.sort(key=lambda w: (len(w), w))
    best = max(words, key=len)
    return words, best
""",
    "comprehension": """
def main():
    xs = [x * {a} for x in range({b} % 4 + 2)]
    d = {{x: str(x) for x in xs if x}}
    g = sum(x for x in xs)
    return d, g
""",
    "multi_line": """
def combine(
    left,
    right=({a},
           {b}),
    *rest,
    **named
):
    return [
        left,
        right,
        *rest,
        sorted(named),
    ]

def main():
    r = combine(
        "{w}",
        {c},
        1, 2,
        k="{v}",
    )
    with_star, *others = r
    return others
""",
}

WORDS = ["strawberry", "banana", "a", "anagram", "Zwetschge", "data", "nil", "xyz"]


def programs() -> list[tuple[str, str]]:
    """(name, source) of all programs; the same each time."""
    rng = random.Random(7)
    made = []
    for name, shape in SHAPES.items():
        for number in range(8):
            a, b, c = rng.randint(1, 4), rng.randint(1, 6), rng.randint(2, 9)
            w, v = rng.sample(WORDS, 2)
            made.append((f"{name}_{number}", shape.lstrip("\n").format(a=a, b=b, c=c, w=w, v=v)))
    return made
