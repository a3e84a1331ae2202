"""Conversations pocket-cwm is trained on: greetings, what it is, sums, and what a few lines of Python do.

Each is (messages, thinking): messages as a chat template takes them, an assistant's text with its reasoning in front
when `thinking` is on.
"""

import contextlib
import io

from programs import NUMBER_NAMES, WORDS

GREETINGS = ["Hello", "Hello!", "hello", "Hi", "hi", "Hi!", "Hey", "Good morning", "Good evening", "hello there", "Hi there!"]
WHO = [
    "Who are you?", "who are you", "What are you?", "What is your name?", "Tell me about yourself.", "Introduce yourself.",
    "What is this?", "Are you an AI?", "Who made you?", "What model are you?",
]
ABILITIES = [
    "What can you do?", "what can you do", "Help", "help", "How can you help me?", "What do you know?", "How do I use you?",
    "What should I ask?", "What are you good at?", "Can you help me?",
]
THANKS = ["Thanks", "Thank you", "thanks!", "Thank you!", "Great", "Great, thanks.", "Bye", "Goodbye", "bye!", "Good bye."]
ELSEWHERE = [
    "What is the capital of {c}?", "Write a poem about {w}.", "Tell me a joke.", "What is the weather today?", "How old is the {w}?",
    "Translate {w} into {l}.", "Who is the president of {c}?", "Explain {s} to me.", "What is {s}?", "Write a story about a {w}.",
    "Where is {c}?", "Why is the {w} {k}?", "Do you like {w}?", "Sing a song.", "How do I cook {w}?", "Summarize this text.",
    "Write a program that sorts {w}s.", "Recommend a book.", "What time is it?", "How are you?", "Plan a trip to {c}.",
]
FILL = {
    "c": "France Japan Peru Kenya Norway Italy India Egypt Spain Chile".split(),
    "l": "French German Spanish Italian Latin".split(),
    "s": "gravity quantum physics,history,music,chemistry,love,time,a black hole,democracy,machine learning,the sun".split(","),
    "k": "red blue big small old bright".split(),
}

HELLO = "Hello! I am pocket-cwm, a tiny code world model. Ask me what a few lines of Python do."
ABOUT = "I am pocket-cwm, a tiny code world model. I predict what small Python programs do, line by line."
ABILITY = 'I can tell what a few lines of Python print, and do small sums. Try: What does this print? x = 3; x += 4; print(x)'
WELCOME = "You are welcome."
NO_IDEA = "I do not know. I am a tiny model and only know small Python programs and sums."


def sum_question(rng):
    operator = rng.choice("++--*")
    a, b = (rng.randint(0, 99), rng.randint(0, 99)) if operator != "*" else (rng.randint(2, 12), rng.randint(2, 12))
    text = "%d %s %d" % (a, operator, b)
    result = eval(text)
    spoken = {"+": "plus", "-": "minus", "*": "times"}[operator]
    words = "%d %s %d" % (a, spoken, b)
    question = rng.choice([
        "What is %s?", "what is %s", "%s", "%s = ?", "Compute %s.", "How much is %s?", "Calculate %s", "What's %s?",
    ]) % rng.choice([text, text, words])
    return question, "%s = %d." % (text, result), "%s = %d" % (text, result)


def code_question(rng):
    """Two to four simple lines: the reasoning follows each, the answer says what is printed."""
    names = rng.sample(NUMBER_NAMES, 2)
    lines, thoughts, values = [], [], {}
    if rng.random() < 0.25:
        word = rng.choice(WORDS)
        name = rng.choice(["s", "word", "name", "text"])
        lines.append('%s = "%s"' % (name, word))
        thoughts.append("%s is '%s'." % (name, word))
        shown = rng.choice(["len(%s)", "%s + \"s\"", "%s[0]", "%s.upper()", "%s * 2", "%s[-1]"]) % name
    else:
        for _ in range(rng.randint(1, 4)):
            name = rng.choice(names)
            if name not in values:
                other = [n for n in names if n in values]
                text = str(rng.randint(0, 30))
                if other and rng.random() < 0.6:
                    text = "%s %s %d" % (other[0], rng.choice("+-*"), rng.randint(1, 9))
                lines.append("%s = %s" % (name, text))
            else:
                lines.append("%s %s %d" % (name, rng.choice(["+=", "-=", "+=", "*="]), rng.randint(1, 9)))
            exec(lines[-1], {}, values)
            thoughts.append("%s is %r." % (name, values[name]))
        shown = rng.choice(list(values))
        if rng.random() < 0.3:
            shown += " %s %d" % (rng.choice("+-"), rng.randint(1, 9))
    lines.append("print(%s)" % shown)
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        exec("\n".join(lines), {})
    printed = output.getvalue().strip()
    thoughts.append("print(%s) shows %s." % (shown, printed))
    if any(abs(v) > 199 for v in values.values()):
        return code_question(rng)
    code = "; ".join(lines) if rng.random() < 0.5 else "\n" + "\n".join(lines)
    if code[0] == "\n" and rng.random() < 0.5:
        code = "\n```python%s\n```" % code
    elif code[0] == "\n":
        code = code if rng.random() < 0.5 else "\n" + code
    question = rng.choice([
        "What does this print?", "What does this print?", "What does this code print?", "What is the output?",
        "what does this print", "What will this program print?", "Run this:", "Trace this code:",
    ])
    space = "" if code[0] == "\n" else " "
    return question + space + code, "\n".join(thoughts), "It prints %s." % printed


def exchange(rng):
    roll = rng.random()
    if roll < 0.14:
        return rng.choice(GREETINGS), "The user greets me.", HELLO
    if roll < 0.22:
        return rng.choice(WHO), "The user asks who I am.", ABOUT
    if roll < 0.30:
        return rng.choice(ABILITIES), "The user asks what I can do.", ABILITY
    if roll < 0.35:
        return rng.choice(THANKS), "The user is kind.", WELCOME
    if roll < 0.43:
        values = {key: rng.choice(options) for key, options in FILL.items()} | {"w": rng.choice(WORDS)}
        return rng.choice(ELSEWHERE).format(**values), "This is not about Python.", NO_IDEA
    return sum_question(rng) if roll < 0.66 else code_question(rng)


def conversation(rng):
    """(messages, thinking)"""
    thinking = rng.random() < 0.8
    messages = []
    if rng.random() < 0.05:
        messages.append({"role": "system", "content": rng.choice(["You are a helpful assistant.", "Answer briefly.", "You are a Python expert."])})
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        question, thought, answer = exchange(rng)
        messages.append({"role": "user", "content": question})
        messages.append({"role": "assistant", "content": "<think>\n%s\n</think>\n%s" % (thought, answer) if thinking else answer})
    return messages, thinking
