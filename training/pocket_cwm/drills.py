"""Very short programs in which almost every frame needs a value looked up or computed: what is learnt first."""

from programs import FUNCTION_NAMES, NUMBER_NAMES, LIST_NAMES, WORD_NAMES, WORDS, join, literal


def drill(rng):
    names = rng.sample(NUMBER_NAMES, rng.choice([2, 3, 3, 4]))
    known = []
    lines = []

    def operand(bias=0.65):
        return rng.choice(known) if known and rng.random() < bias else literal(rng)

    def expression():
        roll = rng.random()
        if roll < 0.2:
            return operand(0.9)
        operator = rng.choices(["+", "-", "*", "//", "%"], [8, 5, 3, 1.5, 2])[0]
        right = {"*": str(rng.randint(2, 6)), "//": str(rng.choice([2, 3, 4, 5])), "%": str(rng.choice([2, 3, 4, 5, 7, 10]))}.get(operator)
        text = "%s %s %s" % (operand(0.8), operator, right or operand(0.4))
        return text if roll < 0.9 else text + " %s %s" % (rng.choice("+-"), operand(0.4))

    def condition():
        if rng.random() < 0.35:
            return "%s %% %d == %d" % (operand(0.9), rng.choice([2, 2, 3, 4, 5]), rng.choice([0, 0, 1]))
        return "%s %s %s" % (operand(0.9), rng.choice(["<", ">", "==", "<=", ">=", "!="]), operand(0.4))

    helper = None
    parts = []
    straight = rng.random() < 0.4
    if not straight and rng.random() < 0.25:
        helper = rng.choice(FUNCTION_NAMES)
        parameters = rng.sample(NUMBER_NAMES, rng.choice([1, 2]))
        known = list(parameters)
        body = ["    return " + expression()]
        if rng.random() < 0.4:
            body = ["    if %s:" % condition(), "        return " + expression(), *body]
        parts.append(["def %s(%s):" % (helper, ", ".join(parameters)), *body])
        known = []
    for _ in range(rng.randint(2, 6)):
        roll = rng.choice([0.1, 0.9, 0.9]) if straight else rng.random()
        if known and roll < 0.2:
            lines.append("%s %s %s" % (rng.choice(known), rng.choice(["+=", "-=", "+=", "*="]), rng.randint(1, 9) if rng.random() < 0.6 else operand()))
        elif known and roll < 0.42:
            target = rng.choice(known)
            lines += ["if %s:" % condition(), "    %s = %s" % (target, expression())]
            if rng.random() < 0.4:
                lines += ["else:", "    %s = %s" % (target, expression())]
        elif known and roll < 0.52:
            target = rng.choice(known)
            lines += ["for i in range(%d):" % rng.randint(1, 4), "    %s += %s" % (target, rng.choice(["i", str(rng.randint(1, 9)), target]))]
        elif known and roll < 0.6:
            target = rng.choice(known)
            lines += ["while %s < %d:" % (target, rng.randint(5, 30)), "    %s += %d" % (target, rng.randint(2, 9))]
        elif helper and roll < 0.75:
            name = rng.choice(names)
            lines.append("%s = %s(%s)" % (name, helper, ", ".join(operand() for _ in parameters)))
            known = [*known, name] if name not in known else known
        elif roll < 0.8:
            xs = rng.choice(LIST_NAMES)
            lines.append("%s = [%s]" % (xs, ", ".join(operand(0.2) for _ in range(rng.randint(1, 4)))))
            name = rng.choice(names)
            lines.append(rng.choice(["%s = len({0})", "%s = sum({0})", "%s = {0}[0]", "%s = {0}[-1]", "%s = max({0})"]).format(xs) % name)
            known = [*known, name] if name not in known else known
        elif roll < 0.84:
            lines.append('%s = "%s"' % (rng.choice(WORD_NAMES), rng.choice(WORDS)))
        else:
            name = rng.choice(names)
            lines.append("%s = %s" % (name, expression()))
            known = [*known, name] if name not in known else known
    lines.append("return " + (operand(0.9) if rng.random() < 0.7 else expression()))
    parts.append(["def main():", *("    " + line for line in lines)])
    return join(rng, parts)
