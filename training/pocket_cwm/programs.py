"""Random small Python programs of the kind pocket-cwm knows.

The kind, as the model card states it: up to 18 lines and 32 frames; a function main() without parameters, up to two
helper functions, or a module without functions; integers from -99 to 199, booleans, None, words, lists of up to 5 integers;
assignments, + - * // % and comparisons, and/or/not, if/elif/else, for over ranges and lists, while, break, continue, calls
and recursion, append, len, sum, min, max, abs, indexing, joining words, try/except, raise.
"""

import random

WORDS = (
    "cat dog sun moon red blue green tree fish bird hat cup map box key ant bee cow pig hen star rain snow wind fire "
    "ice salt milk corn rice apple lemon bread grape melon river stone cloud table chair"
).split()
NUMBER_NAMES = "a b c d n m x y z p q k total count score value size limit step price left right low high".split()
WORD_NAMES = "s t w name word text label color animal".split()
LIST_NAMES = "items numbers values data out result row xs ys nums".split()
FLAG_NAMES = "flag done ok found ready".split()
LOOP_NAMES = "i j k n x v item".split()
FUNCTION_NAMES = (
    "f g h add double square helper compute step apply update check twice change score total_of combine shift scale "
    "mix work run solve count_up find pick"
).split()
INT, WORD, LIST, FLAG = "int", "word", "list", "flag"
NAMES = {INT: NUMBER_NAMES, WORD: WORD_NAMES, LIST: LIST_NAMES, FLAG: FLAG_NAMES}


class Scope:
    """The variables of one function while its body is being written."""

    def __init__(self, rng, functions, in_function=True):
        self.rng = rng
        self.variables = {}  # name -> type
        self.loops = set()  # names a loop changes; a body leaves them alone
        self.functions = functions  # name -> (parameter types, result type)
        self.in_function = in_function

    def names(self, kind, free=False):
        return [n for n, t in self.variables.items() if t == kind and not (free and n in self.loops)]

    def pick(self, kind, free=False):
        names = self.names(kind, free)
        return self.rng.choice(names) if names else None

    def new_name(self, kind):
        pool = NAMES[kind]
        for _ in range(20):
            name = self.rng.choice(pool)
            if self.rng.random() < 0.06:
                name = "".join(self.rng.choice("abcdefghijklmnoprstuvwxyz") for _ in range(self.rng.randint(2, 5)))
                if name in ("as", "if", "in", "is", "or", "and", "def", "del", "for", "not", "try", "len", "sum", "min", "max", "abs", "str", "int"):
                    continue
            if self.variables.get(name, kind) == kind and name not in self.loops and name not in self.functions:
                return name
        return pool[0] + str(self.rng.randint(1, 9))


def literal(rng):
    roll = rng.random()
    if roll < 0.62:
        return str(rng.randint(0, 9))
    if roll < 0.92:
        return str(rng.randint(10, 30))
    if roll < 0.96:
        return str(rng.randint(31, 99))
    return str(-rng.randint(1, 9))


def atom(scope, bias=0.72):
    name = scope.pick(INT)
    return name if name and scope.rng.random() < bias else literal(scope.rng)


def quoted(rng, word=None):
    return '"%s"' % (word or rng.choice(WORDS))


def int_expression(scope, depth=0):
    rng = scope.rng
    roll = rng.random()
    if roll < 0.14:
        return atom(scope)
    if roll < 0.70:
        operator = rng.choices(["+", "-", "*", "//", "%"], [9, 6, 3.5, 1, 1.8])[0]
        left = scope.pick(INT) or literal(rng)
        if operator == "*":
            right = str(rng.randint(2, 5)) if rng.random() < 0.8 else atom(scope)
            if rng.random() < 0.2:
                left, right = right, left
        elif operator in ("//", "%"):
            right = str(rng.choice([2, 2, 2, 3, 3, 4, 5, 10]))
        else:
            right = atom(scope, 0.5)
        return "%s %s %s" % (left, operator, right)
    if roll < 0.76 and depth == 0:
        return "%s %s %s" % (int_expression(scope, 1), rng.choice("+-"), atom(scope))
    if roll < 0.78 and depth == 0:
        return "(%s %s %s) * %d" % (atom(scope), rng.choice("+-"), literal(rng), rng.randint(2, 4))
    if roll < 0.88 and scope.pick(LIST):
        return rng.choice(["len(%s)", "len(%s)", "sum(%s)", "%s[0]", "%s[0]", "%s[-1]", "max(%s)", "min(%s)", "%s[1]"]) % scope.pick(LIST)
    if roll < 0.93 and len(scope.names(INT)) >= 2:
        a, b = rng.sample(scope.names(INT), 2)
        return "%s(%s, %s)" % (rng.choice(["max", "min"]), a, b)
    if roll < 0.95:
        return "abs(%s)" % atom(scope)
    return "%s + %s" % (atom(scope), literal(rng))


def word_expression(scope):
    rng = scope.rng
    name = scope.pick(WORD)
    roll = rng.random()
    if name is None or roll < 0.45:
        return quoted(rng)
    if roll < 0.75:
        return "%s + %s" % (name, scope.pick(WORD) if rng.random() < 0.4 else quoted(rng))
    return name


def comparison(scope):
    rng = scope.rng
    roll = rng.random()
    if roll < 0.08 and scope.pick(WORD):
        name = scope.pick(WORD)
        return "%s %s %s" % (name, rng.choice(["==", "!="]), quoted(rng))
    if roll < 0.18 and scope.pick(LIST):
        name = scope.pick(LIST)
        return rng.choice(["%s in %s" % (atom(scope), name), "len(%s) > %d" % (name, rng.randint(1, 4))])
    if roll < 0.26 and scope.pick(FLAG):
        return rng.choice(["%s", "not %s"]) % scope.pick(FLAG)
    left = scope.pick(INT) or literal(rng)
    if roll < 0.48:
        return "%s %% %d == %d" % (left, rng.choice([2, 2, 2, 3, 3, 4, 5]), rng.choice([0, 0, 0, 1]))
    simple = "%s %s %s" % (left, rng.choice(["<", ">", "==", "<=", ">=", "!="]), atom(scope, 0.4))
    if roll < 0.90:
        return simple
    return "%s %s %s %s %s" % (simple, rng.choice(["and", "or"]), atom(scope), rng.choice("<>"), literal(rng))


def list_literal(scope):
    rng = scope.rng
    return "[%s]" % ", ".join(atom(scope, 0.15) for _ in range(rng.choice([0, 0, 1, 2, 3, 3, 4])))


def value_of(scope, kind):
    rng = scope.rng
    if kind == INT:
        return int_expression(scope)
    if kind == WORD:
        return word_expression(scope)
    if kind == FLAG:
        return comparison(scope) if rng.random() < 0.7 else rng.choice(["True", "False"])
    name = scope.pick(LIST)
    if name and rng.random() < 0.1:
        return "%s + [%s]" % (name, atom(scope))
    return list_literal(scope)


def call_expression(scope):
    """(text, type of the result) or None when there is nothing to call."""
    if not scope.functions:
        return None
    name = scope.rng.choice(list(scope.functions))
    parameters, result = scope.functions[name]
    arguments = []
    for kind in parameters:
        own = scope.pick(kind)
        if own and scope.rng.random() < 0.6:
            arguments.append(own)
        elif kind == INT:
            arguments.append(literal(scope.rng) if scope.rng.random() < 0.75 else int_expression(scope))
        else:
            arguments.append(quoted(scope.rng) if kind == WORD else list_literal(scope))
    return "%s(%s)" % (name, ", ".join(arguments)), result


def statement(scope, depth, room, in_loop):
    """Lines of one statement, indented from its own level, at most `room` of them."""
    rng = scope.rng
    roll = rng.random()
    if roll < 0.16 and scope.functions:
        text, result = call_expression(scope)
        if result == INT and rng.random() < 0.15:
            text += " %s %s" % (rng.choice("+-"), literal(rng))
        own = scope.pick(INT, free=True)
        if result == INT and own and rng.random() < 0.25:
            return ["%s %s %s" % (own, rng.choice(["+=", "+=", "-="]), text)]
        name = scope.new_name(result)
        scope.variables[name] = result
        return ["%s = %s" % (name, text)]
    if roll < 0.30 and room >= 3 and depth < 2:
        return if_statement(scope, depth, room, in_loop)
    if roll < 0.43 and room >= 2 and depth < 2:
        return loop_statement(scope, depth, room)
    if roll < 0.58 and scope.pick(INT, free=True):
        name = scope.pick(INT, free=True)
        operator = rng.choices(["+=", "-=", "*=", "//=", "%="], [8, 4, 1.5, 0.7, 0.7])[0]
        right = {"*=": str(rng.randint(2, 4)), "//=": str(rng.randint(2, 5)), "%=": str(rng.randint(2, 10))}.get(operator)
        return ["%s %s %s" % (name, operator, right or (atom(scope, 0.5) if rng.random() < 0.8 else int_expression(scope, 1)))]
    if roll < 0.64 and scope.pick(LIST, free=True):
        name = scope.pick(LIST, free=True)
        choice = rng.random()
        if choice < 0.8:
            return ["%s.append(%s)" % (name, int_expression(scope))]
        return ["%s[%s] = %s" % (name, rng.choice(["0", "-1", "1"]), int_expression(scope))]
    if roll < 0.66 and scope.pick(WORD, free=True):
        return ["%s += %s" % (scope.pick(WORD, free=True), quoted(rng))]
    if roll < 0.75 and len(scope.names(INT, free=True)) >= 2:
        a, b = rng.sample(scope.names(INT, free=True), 2)
        return [rng.choice(["%s, %s = %s, %s" % (a, b, b, a), "%s, %s = %s, %s + %s" % (a, b, b, a, b)])]
    if roll < 0.78:
        return ["print(%s)" % (rng.choice(list(scope.variables)) if scope.variables else quoted(rng))]
    kind = rng.choices([INT, WORD, LIST, FLAG], [12, 2, 2, 1.2])[0]
    text = value_of(scope, kind)
    name = scope.new_name(kind)
    scope.variables[name] = kind
    return ["%s = %s" % (name, text)]


def block(scope, depth, room, in_loop=False, most=3):
    lines = []
    for _ in range(scope.rng.randint(1, most)):
        if len(lines) >= room:
            break
        lines += statement(scope, depth, room - len(lines), in_loop)
    return ["    " + line for line in lines]


def branch(scope, depth, room, in_loop):
    """A block whose new variables may not exist afterwards."""
    before = dict(scope.variables)
    if in_loop and scope.rng.random() < 0.3:
        lines = ["    " + scope.rng.choice(["break", "continue"])]
        if scope.rng.random() < 0.4:
            lines = block(scope, depth, 1, True, 1) + lines
    elif scope.in_function and scope.rng.random() < 0.12:
        lines = ["    return " + (atom(scope) if scope.rng.random() < 0.6 else int_expression(scope))]
    else:
        lines = block(scope, depth, room, in_loop, 2)
    scope.variables = {n: t for n, t in scope.variables.items() if n in before}
    return lines


def if_statement(scope, depth, room, in_loop):
    rng = scope.rng
    lines = ["if %s:" % comparison(scope)] + branch(scope, depth + 1, room - 1, in_loop)
    if rng.random() < 0.15 and room - len(lines) >= 2:
        lines += ["elif %s:" % comparison(scope)] + branch(scope, depth + 1, 1, in_loop)
    if rng.random() < 0.45 and room - len(lines) >= 2:
        lines += ["else:"] + branch(scope, depth + 1, room - len(lines) - 1, in_loop)
    return lines


def loop_statement(scope, depth, room):
    rng = scope.rng
    if rng.random() < 0.22:
        name = scope.pick(INT, free=True)
        if name:
            before = dict(scope.variables)
            up = rng.random() < 0.5
            head = "while %s %s %s:" % (name, "<" if up else ">", literal(rng))
            scope.loops.add(name)
            lines = block(scope, depth + 1, room - 2, True, 2) if room > 2 and rng.random() < 0.8 else []
            scope.loops.discard(name)
            scope.variables = before
            change = rng.choice(["+= %d" if up else "-= %d"]) % rng.randint(1, 5)
            if not up and rng.random() < 0.25:
                change = "//= 2"
            return [head, *lines, "    %s %s" % (name, change)]
    before = dict(scope.variables)
    choice = rng.random()
    name = rng.choice(LOOP_NAMES)
    if choice < 0.22 and scope.pick(LIST):
        over = scope.pick(LIST)
    elif choice < 0.44:
        over = "[%s]" % ", ".join(literal(rng) for _ in range(rng.randint(2, 4)))
    elif choice < 0.72:
        over = "range(%d)" % rng.randint(1, 5)
    elif choice < 0.92:
        start = rng.randint(1, 8)
        over = "range(%d, %d)" % (start, start + rng.randint(1, 4))
    else:
        start = rng.randint(0, 5)
        over = "range(%d, %d, %d)" % (start, start + rng.randint(3, 8), rng.randint(2, 3))
    busy = over in scope.variables
    if name in scope.loops or scope.variables.get(name, INT) != INT or name == over:
        name = "item"
    scope.variables[name] = INT
    scope.loops.add(name)
    if busy:
        scope.loops.add(over)
    lines = block(scope, depth + 1, room - 1, True, 2)
    scope.loops.discard(name)
    scope.loops.discard(over)
    scope.variables = before
    if rng.random() < 0.3:
        scope.variables[name] = INT
    return ["for %s in %s:" % (name, over), *lines]


def try_statement(scope, room):
    rng = scope.rng
    before = dict(scope.variables)
    body = statement(scope, 2, 1, False) if rng.random() < 0.5 else []
    trouble = "%s = %s // %s" % (scope.new_name(INT), atom(scope), scope.pick(INT) or "0")
    scope.variables = before
    name = scope.new_name(INT)
    scope.variables[name] = INT
    return ["try:", *["    " + line for line in body], "    " + trouble, "except ZeroDivisionError:", "    %s = %s" % (name, literal(rng))]


def function(rng, name, functions, room):
    """(lines, parameter types, type of the result)"""
    scope = Scope(rng, functions)
    parameters = rng.choices([INT, WORD, LIST], [12, 1.5, 1.5], k=rng.choice([1, 1, 2, 2, 2, 3]))
    if rng.random() < 0.04:
        parameters = []
    for kind in parameters:
        new = scope.new_name(kind)
        while new in scope.variables:
            new = scope.new_name(kind) if rng.random() < 0.8 else new + "2"
        scope.variables[new] = kind
    heading = "def %s(%s):" % (name, ", ".join(scope.variables))
    lines = []
    for _ in range(rng.choice([0, 1, 1, 2, 2, 3])):
        if len(lines) >= room - 1:
            break
        lines += statement(scope, 0, room - 1 - len(lines), False)
    if rng.random() < 0.06 and scope.pick(INT):
        lines += ["if %s:" % comparison(scope), '    raise ValueError(%s)' % quoted(rng)]
    result = rng.choices([INT, WORD, FLAG, LIST], [12, 2 if scope.names(WORD) else 0.2, 1.2, 1.5 if scope.names(LIST) else 0.1])[0]
    text = scope.pick(result) if scope.names(result) and rng.random() < 0.45 else value_of(scope, result)
    return [heading] + ["    " + line for line in lines] + ["    return " + text], parameters, result


def composed(rng):
    """A program put together at random."""
    functions, parts = {}, []
    for _ in range(rng.choices([0, 1, 2], [3, 5, 1.6])[0]):
        name = rng.choice([n for n in FUNCTION_NAMES if n not in functions])
        lines, parameters, result = function(rng, name, dict(functions) if rng.random() < 0.5 else {}, rng.randint(2, 6))
        functions[name] = (parameters, result)
        parts.append(lines)
    if functions and rng.random() < 0.18:
        # as parley adds it for --entry "f(1, 2)"
        text, _ = call_expression(Scope(rng, {list(functions)[-1]: functions[list(functions)[-1]]}))
        return join(rng, [*parts, ["def main():", "    return " + text]])
    in_function = rng.random() < 0.88
    scope = Scope(rng, functions, in_function)
    lines = []
    size = rng.randint(2, 7)
    for _ in range(size):
        if len(lines) >= size:
            break
        if rng.random() < 0.04 and size - len(lines) >= 3:
            lines += try_statement(scope, size - len(lines))
        else:
            lines += statement(scope, 0, size - len(lines), False)
    if functions and not any(name + "(" in line for name in functions for line in lines):
        text, result = call_expression(scope)
        name = scope.new_name(result)
        scope.variables[name] = result
        lines.append("%s = %s" % (name, text))
    if not in_function:
        return join(rng, [*parts, lines])
    if rng.random() < 0.9:
        roll = rng.random()
        last = rng.choice(list(scope.variables)) if scope.variables else "0"
        if roll < 0.7:
            lines.append("return " + last)
        elif roll < 0.8 and len(scope.variables) > 1:
            lines.append("return " + ", ".join(rng.sample(list(scope.variables), 2)))
        elif roll < 0.9 and functions:
            lines.append("return " + call_expression(scope)[0])
        else:
            lines.append("return " + int_expression(scope))
    return join(rng, [*parts, ["def main():"] + ["    " + line for line in lines]])


def join(rng, parts):
    gap = "\n" * rng.choice([1, 2, 2, 2, 3])
    return gap.join("\n".join(lines) + "\n" for lines in parts)
