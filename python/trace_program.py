"""Runs a Python program and writes what it does, step by step, as the frames a code world model reads.

As a program (the source on standard input or in a file, frames as JSON lines on standard output):

    python3 trace_program.py [--entry NAME] [--line N] [--seconds S] [--memory BYTES] [--frames N] FILE|-

As a module, to make training data in its own process: trace_source(source, ...) yields the same objects.

Frames:

    {"event": "call" | "line", "line": 3, "source": "    n = 0\n", "depth": 1, "function": "f", "locals": {...}}
    {"event": "return" | "exception", ..., "value": "3"}

`locals` maps names to repr() texts in the order of the function's own variables; ".." means unchanged since the last
frame of the same scope. A call always spells out every value. `source` is the physical line, with its line end.
The last line says how it ended: {"end": "returned" | "raised" | "frames" | "time" | "memory" | "exit" | "not_called",
"python": "3.11.7"}, or {"end": "error", "code": ..., "message": ...} when the program could not be run at all.

What is recorded: lines of the file itself, from the call of the entry until it returns; library code is stepped over.
Addresses are taken out of repr() texts (<object object at 0x7f...> becomes <object object>); with PYTHONHASHSEED
set, which the command line sees to, two runs write the same bytes.

Standard library only; Python 3.8 or later. This executes the program. The limits are no sandbox.
"""

import argparse
import ast
import contextlib
import dis
import inspect
import io
import json
import os
import re
import signal
import sys
import time

FILENAME = "<program>"
UNCHANGED = ".."

# repr() texts longer than this are cut, so that one huge value does not fill the context
MAX_VALUE = 1000
# more names than this in one scope are left out
MAX_LOCALS = 100
MAX_FRAMES = 10000

_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
# names that every module has, and that no program means
_MODULE_NAMES = frozenset(
    ["__name__", "__doc__", "__package__", "__loader__", "__spec__", "__file__", "__builtins__", "__annotations__"]
)


class TraceEnd(BaseException):
    """Leaves the program once its entry has returned or a limit was hit; programs do not catch BaseException."""

    def __init__(self, reason):
        super().__init__(reason)
        self.reason = reason


class EntryError(Exception):
    """The program has no such entry, or it cannot be called."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


def describe(value):
    """repr() without addresses, at most MAX_VALUE characters."""
    try:
        text = repr(value)
    except TraceEnd:
        raise
    except RecursionError:
        text = "<%s: repr recurses>" % type(value).__name__
    except Exception as error:
        text = "<%s: repr raised %s>" % (type(value).__name__, type(error).__name__)
    text = _ADDRESS.sub("", text)
    return text if len(text) <= MAX_VALUE else text[:MAX_VALUE] + "..."


class Tracer:
    """The function for sys.settrace. Hands every frame of the entry's dynamic extent to `emit`."""

    def __init__(self, lines, entry_code, emit, max_frames):
        self.lines = lines
        self.entry_code = entry_code
        self.emit = emit
        self.max_frames = max_frames
        self.entry_frame = None
        self.count = 0
        # what each living scope last showed; keyed by id, and kept alive by the entry beside it
        self.shown = {}
        # frames of the program that are running, innermost last
        self.stack = []
        # the exception that is leaving each scope
        self.leaving = {}

    def __call__(self, frame, event, arg):
        code = frame.f_code
        if code.co_filename != FILENAME:
            return None
        if self.entry_frame is None:
            if event != "call" or not self._is_entry(code):
                return None
            self.entry_frame = frame
        if event == "call":
            self.stack.append(frame)
        self._record(frame, event, arg)
        if event == "return":
            if self.stack and self.stack[-1] is frame:
                self.stack.pop()
            if not _is_suspended(frame):
                self.shown.pop(id(frame), None)
            if frame is self.entry_frame and not _is_suspended(frame):
                sys.settrace(None)
                raised = self.leaving.get(id(frame), False)
                raise TraceEnd("raised" if raised else "returned")
        return self

    def _is_entry(self, code):
        return code is self.entry_code or (
            code.co_name == self.entry_code.co_name and code.co_firstlineno == self.entry_code.co_firstlineno
        )

    def _record(self, frame, event, arg):
        self.count += 1
        if self.count > self.max_frames:
            sys.settrace(None)
            raise TraceEnd("frames")
        number = max(frame.f_lineno or 1, 1)
        record = {
            "event": event,
            "line": number,
            "source": self.lines[number - 1] if number <= len(self.lines) else "",
            "depth": max(len(self.stack) - 1, 0),
            "function": frame.f_code.co_name,
        }
        if event in ("call", "line"):
            self.leaving.pop(id(frame), None)
            record["locals"] = self._locals(frame, event)
        elif event == "return":
            record["value"] = describe(arg)
        else:
            self.leaving[id(frame)] = True
            # before 3.12 the value may still be the bare arguments of an exception raised in C
            kind, value = arg[0], arg[1]
            if not isinstance(value, BaseException):
                value = kind() if value is None else kind(value)
            record["value"] = describe(value)
        self.emit(record)

    def _locals(self, frame, event):
        values = {}
        is_module = frame.f_code.co_name == "<module>"
        for name, value in list(frame.f_locals.items()):
            if is_module and name in _MODULE_NAMES:
                continue
            if len(values) == MAX_LOCALS:
                break
            values[name] = describe(value)
        before = {} if event == "call" else self.shown.get(id(frame), (None, {}))[1]
        self.shown[id(frame)] = (frame, values)
        return {name: UNCHANGED if before.get(name) == text else text for name, text in values.items()}


# opcodes after which a generator's or coroutine's frame is left but not finished
_SUSPENDING = frozenset(["YIELD_VALUE", "YIELD_FROM", "SEND"])


def _is_suspended(frame):
    """Does this return event mean a yield? The frame then lives on."""
    if not frame.f_code.co_flags & 0x2A0:  # generator, coroutine or asynchronous generator
        return False
    at = frame.f_lasti
    return 0 <= at < len(frame.f_code.co_code) and dis.opname[frame.f_code.co_code[at]] in _SUSPENDING


def find_code(module_code, name, line=None):
    """The code object of a function: by its first line, or the last one of that name at the top level."""
    found = None
    pending = [module_code]
    while pending:
        code = pending.pop()
        for constant in code.co_consts:
            if not hasattr(constant, "co_firstlineno"):
                continue
            pending.append(constant)
            if line is not None:
                if constant.co_firstlineno == line and constant.co_name == name:
                    return constant
            elif code is module_code and constant.co_name == name:
                found = constant
    return found


def source_lines(source):
    """Lines as Python counts them: str.splitlines would also end one at a form feed."""
    return list(io.StringIO(source, newline=None))


def first_line(tree, name, line):
    """Where the code object of the `def` at `line` begins: at its first decorator."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and (node.name, node.lineno) == (name, line):
            return min([line] + [decorator.lineno for decorator in node.decorator_list])
    return line


def drop_main_guard(tree):
    """Takes top-level `if __name__ ...:` out: an entry of its own replaces what stands there."""
    tree.body = [
        node
        for node in tree.body
        if not (
            isinstance(node, ast.If)
            and any(isinstance(part, ast.Name) and part.id == "__name__" for part in ast.walk(node.test))
        )
    ]
    return tree


def run_traced(source, emit, entry=None, line=None, max_frames=MAX_FRAMES, skip_main_guard=False):
    """Runs `source` and hands its frames to `emit`.

    entry: name of the function the trace begins with; None is the module itself.
    line: line of its `def`, where several have that name.
    The module is run first; if that does not call the entry, it is called without arguments.
    Returns how it ended. Raises SyntaxError, EntryError, and whatever the module raises before the entry is called.
    """
    tree = ast.parse(source, FILENAME)
    if skip_main_guard:
        drop_main_guard(tree)
    module_code = compile(tree, FILENAME, "exec", dont_inherit=True)
    entry_code = module_code if entry is None else find_code(module_code, entry, line and first_line(tree, entry, line))
    if entry_code is None:
        raise EntryError("NO_SUCH_FUNCTION", "there is no function %s" % entry)
    names = {"__name__": "__main__", "__builtins__": __builtins__}
    # pickling, dataclasses and typing look their module up by name
    module = type(sys)("__main__")
    module.__dict__.update(names)
    before = sys.modules.get("__main__")
    sys.modules["__main__"] = module
    tracer = Tracer(source_lines(source), entry_code, emit, max_frames)
    try:
        sys.settrace(tracer)
        exec(module_code, module.__dict__)
        if tracer.entry_frame is None and entry is not None:
            function = module.__dict__.get(entry)
            if not callable(function):
                raise EntryError("NO_SUCH_FUNCTION", "%s is no function once the program has run" % entry)
            sys.settrace(None)
            require_no_arguments(function, entry)
            sys.settrace(tracer)
            function()
        return "not_called" if tracer.entry_frame is None else "returned"
    except TraceEnd as end:
        return end.reason
    except MemoryError:
        if tracer.entry_frame is None:
            raise
        return "memory"
    except SystemExit:
        if tracer.entry_frame is None:
            raise EntryError("EXITED", "the program ended before its entry was called")
        return "exit"
    finally:
        sys.settrace(None)
        if before is not None:
            sys.modules["__main__"] = before


def syntax_fault(error):
    """A program with null bytes has no line at fault."""
    return error.msg if error.lineno is None else "line %s: %s" % (error.lineno, error.msg)


def require_no_arguments(function, entry):
    """Raises EntryError ENTRY_ARGUMENTS when calling it without arguments cannot work."""
    try:
        inspect.signature(function).bind()
    except TypeError as error:
        raise EntryError("ENTRY_ARGUMENTS", "%s cannot be called without arguments: %s" % (entry, error))
    except ValueError:
        pass


def trace_source(source, entry=None, line=None, max_frames=MAX_FRAMES, skip_main_guard=False):
    """All frames of a program, and how it ended: (frames, end). What it prints is thrown away.

    Runs it in this process without limits of time and memory. Set PYTHONHASHSEED for the same order of sets each time.
    """
    frames = []
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        end = run_traced(source, frames.append, entry, line, max_frames, skip_main_guard)
    return frames, end


def limit_memory(size):
    """Where the system knows such a limit (not on Windows; macOS ignores it)."""
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (size, size))
    except (ImportError, ValueError, OSError):
        pass


def limit_time(seconds):
    """Wall-clock time; where there is no such timer, whoever started this process must end it."""
    if not hasattr(signal, "setitimer"):
        return

    def expire(_number, _frame):
        sys.settrace(None)
        raise TraceEnd("time")

    signal.signal(signal.SIGALRM, expire)
    signal.setitimer(signal.ITIMER_REAL, seconds)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("file")
    parser.add_argument("--entry")
    parser.add_argument("--line", type=int)
    parser.add_argument("--skip-main-guard", action="store_true")
    parser.add_argument("--folder", help="where the program's own imports are looked for")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--memory", type=int, default=1 << 30)
    parser.add_argument("--frames", type=int, default=MAX_FRAMES)
    options = parser.parse_args()
    if os.environ.get("PYTHONHASHSEED") is None:
        os.environ["PYTHONHASHSEED"] = "0"
        os.execv(sys.executable, [sys.executable] + sys.argv)

    # frames go to the real standard output; the program gets streams that lead nowhere
    # line by line, because a program may end its process at any moment
    output = os.fdopen(os.dup(1), "w", 1, encoding="utf-8", errors="surrogatepass", newline="\n")
    stdin = sys.stdin.buffer
    if options.file == "-":
        data = stdin.read()
    else:
        with open(options.file, "rb") as stream:
            data = stream.read()
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nowhere, number)

    def write(record):
        output.write(json.dumps(record) + "\n")

    def finish(record):
        record["python"] = "%d.%d.%d" % sys.version_info[:3]
        write(record)
        output.flush()
        # threads and exit handlers of the program shall not go on
        os._exit(0)

    started = time.monotonic()
    try:
        source = data.decode("utf-8-sig")
        sys.argv = [options.file]
        folder = options.folder or (os.getcwd() if options.file == "-" else os.path.dirname(options.file))
        sys.path[0] = os.path.abspath(folder)
        limit_memory(options.memory)
        limit_time(options.seconds)
        end = run_traced(
            source, write, options.entry, options.line, options.frames, options.skip_main_guard
        )
        finish({"end": end, "seconds": round(time.monotonic() - started, 3)})
    except EntryError as error:
        finish({"end": "error", "code": error.code, "message": str(error)})
    except SyntaxError as error:
        finish({"end": "error", "code": "SYNTAX", "message": syntax_fault(error)})
    except UnicodeDecodeError as error:
        finish({"end": "error", "code": "ENCODING", "message": "the source is not UTF-8: %s" % error})
    except TraceEnd as end:
        finish({"end": end.reason})
    except MemoryError:
        finish({"end": "memory"})
    except BaseException as error:
        # the program itself failed before its entry was called
        finish({"end": "error", "code": "PROGRAM", "message": describe(error)})


if __name__ == "__main__":
    main()
