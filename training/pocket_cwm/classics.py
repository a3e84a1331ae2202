"""Small programs people write, with names and numbers drawn at random: sums, searches, recursion, lists."""

from programs import FUNCTION_NAMES, LIST_NAMES, NUMBER_NAMES, WORDS, join

# {f} {g} function names; {a}..{d} distinct number names; {xs} a list name; {1}..{9} small numbers; {w} {v} words;
# {many} a list of numbers. A line that begins with ">" begins a new part.
SHAPES = """
def {f}({a}):
    {b} = 0
    for i in range({a}):
        {b} += i{plus}
    return {b}
>def main():
    return {f}({n5})
===
def {f}({a}):
    if {a} <= 1:
        return 1
    return {a} * {f}({a} - 1)
>def main():
    return {f}({n4})
===
def {f}({a}):
    if {a} < 2:
        return {a}
    return {f}({a} - 1) + {f}({a} - 2)
>def main():
    return {f}({n3})
===
def {f}({a}):
    {b}, {c} = 0, 1
    for i in range({a}):
        {b}, {c} = {c}, {b} + {c}
    return {b}
>def main():
    {d} = {f}({n6})
    return {d}
===
def {f}({a}, {b}):
    while {b}:
        {a}, {b} = {b}, {a} % {b}
    return {a}
>def main():
    return {f}({n40}, {n20})
===
def {f}({a}):
    {b} = 0
    while {a} != 1:
        if {a} % 2 == 0:
            {a} //= 2
        else:
            {a} = 3 * {a} + 1
        {b} += 1
    return {b}
>def main():
    return {f}({n6})
===
def {f}({a}):
    for {b} in range(2, {a}):
        if {a} % {b} == 0:
            return False
    return True
>def main():
    return {f}({n9})
===
def {f}({a}):
    {b} = 0
    while {a} > 0:
        {b} += {a} % 10
        {a} //= 10
    return {b}
>def main():
    return {f}({n60})
===
def {f}({xs}):
    {a} = {xs}[0]
    for {b} in {xs}:
        if {b} {less} {a}:
            {a} = {b}
    return {a}
>def main():
    return {f}({many})
===
def {f}({xs}, {a}):
    for i in range(len({xs})):
        if {xs}[i] == {a}:
            return i
    return -1
>def main():
    return {f}({many}, {n9})
===
def {f}({xs}):
    out = []
    for {a} in {xs}:
        if {a} % {n2} == 0:
            out.append({a})
    return out
>def main():
    return {f}({many})
===
def {f}({xs}):
    out = []
    {a} = 0
    for {b} in {xs}:
        {a} += {b}
        out.append({a})
    return out
>def main():
    return {f}({many})
===
def {f}({a}, {b}):
    {c} = 1
    for i in range({b}):
        {c} *= {a}
    return {c}
>def main():
    return {f}({n3}, {n3})
===
def {f}({a}):
    if {a} % 6 == 0:
        return "fizzbuzz"
    if {a} % 2 == 0:
        return "fizz"
    if {a} % 3 == 0:
        return "buzz"
    return {a}
>def main():
    out = []
    for i in range({n9}, {n9} + 3):
        out.append({f}(i))
    return out
===
def {f}({a}, {b}):
    if {b} == 0:
        raise ValueError("{w}")
    return {a} // {b}
>def main():
    try:
        {c} = {f}({n20}, {zero})
    except ValueError:
        {c} = {n5}
    return {c}
===
def {f}({a}):
    return {a} * {a}
>def {g}({a}, {b}):
    return {f}({a}) + {f}({b})
>def main():
    return {g}({n9}, {n5})
===
def main():
    {a} = {n20}
    {b} = {n9}
    {a}, {b} = {b}, {a}
    {c} = {a} - {b}
    return {c}
===
def main():
    {a} = 0
    for i in range({n3}):
        for j in range({n3}):
            {a} += i * j
    return {a}
===
def main():
    {xs} = {many}
    {a} = sum({xs})
    {b} = len({xs})
    return {a} // {b}
===
def {f}({a}):
    if {a} == 0:
        return 0
    return {a} + {f}({a} - 1)
>def main():
    return {f}({n4})
===
def {f}({a}, {b}, {c}):
    if {a} < {b}:
        return {b}
    if {a} > {c}:
        return {c}
    return {a}
>def main():
    return {f}({n20}, {n5}, {n9})
===
def {f}({a}):
    if {a} > {n9}:
        return "{w}"
    else:
        return "{v}"
>def main():
    {b} = {n20}
    {c} = {f}({b} - {n5})
    return {c}
===
{a} = {n5}
{b} = {n20}
while {a} < {b}:
    {a} += {n5}
print({a})
===
{xs} = {many}
{a} = 0
for x in {xs}:
    {a} += x
print({a})
===
def {f}({a}):
    return {a} % 2 == 0
>def main():
    {b} = {n20}
    if {f}({b}):
        {b} //= 2
    else:
        {b} += 1
    return {b}
===
def {f}({a}, {b}):
    if {a} > {b}:
        return {a}
    return {b}
>def main():
    {c} = {n20}
    {d} = {n20}
    return {f}({c}, {d})
===
def {f}({xs}):
    {a} = 0
    for {b} in {xs}:
        if {b} > {n9}:
            {a} += 1
    return {a}
>def main():
    {xs} = {many}
    return {f}({xs})
===
def main():
    {xs} = []
    for i in range({n4}):
        {xs}.append(i * {n5})
    return {xs}
===
def main():
    {a} = 1
    for i in range(1, {n5}):
        {a} *= i
    return {a}
===
def main():
    {a} = {n20}
    {b} = 0
    while {a} > 0:
        {a} -= {n5}
        {b} += 1
    return {b}
===
{a} = {n9}
{b} = {n9}
{c} = {a} + {b}
print({c})
===
def {f}({a}):
    return {a} + {n9}
>def main():
    {b} = 0
    for i in range({n4}):
        {b} += {f}(i)
    return {b}
""".strip("\n").split("\n===\n")


def classic(rng):
    names = rng.sample(NUMBER_NAMES, 4)
    functions = rng.sample(FUNCTION_NAMES + ["fact", "fib", "gcd", "largest", "is_even", "power", "search", "collatz"], 2)
    word = rng.choice(WORDS)
    many = [rng.randint(0, 30) if rng.random() < 0.9 else -rng.randint(1, 9) for _ in range(rng.randint(2, 4))]

    class Values(dict):
        def __missing__(self, key):
            if key[0] == "n" and key[1:].isdigit():
                return str(rng.randint(1, int(key[1:])) if key != "n2" else rng.choice([2, 3, 5]))
            raise KeyError(key)

    values = Values(
        f=functions[0], g=functions[1], a=names[0], b=names[1], c=names[2], d=names[3], xs=rng.choice(LIST_NAMES),
        w=word, v=rng.choice([w for w in WORDS if w != word]), many=str(many),
        less=rng.choice("<>"), zero=rng.choice([0, 0, 2, 3, 5]), plus=rng.choice(["", "", " * 2", " + 1", " * i"]),
    )
    text = rng.choice(SHAPES).format_map(values)
    return join(rng, [part.split("\n") for part in text.split("\n>")])
