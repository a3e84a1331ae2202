"""Write data/pocket-cwm.json: what the bundled model says greedily in float32, in traces and in chats.

{"traces": [{"source", "frames": [{"event", "source", "locals" or "value"}]}], "chats": [{"prompt", "text"}]}; `locals`
as they were written, ".." included. Programs are from the held-out set of training/pocket_cwm:
the first that the model lets come to an end.
"""

import json
import re
import sys

import torch
import transformers

from paths import DATA, MODELS, ROOT
from write_json import write_mapping

sys.path.insert(0, str(ROOT / "training" / "pocket_cwm"))
from held_out import held_out  # noqa: E402
from traces import EVENTS  # noqa: E402

PROGRAMS = 12
END = "<|end_of_text|>"
PROMPTS = [
    "hello",
    "What does this print? x = 3; x += 4; print(x)",
    'What does this print?\n\n```python\nword = "moon"\nprint(word * 2)\n```',
    "12 + 30",
    "Who are you?",
    "Write a poem about rain.",
]
EVENT_OF = {mark: event for event, mark in EVENTS.items()}


def main() -> None:
    torch.set_num_threads(1)
    folder = MODELS / "pocket-cwm"
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)

    def continue_greedily(text: str, stop: list[str]) -> str:
        ids = tokenizer(text, add_special_tokens=False, return_tensors="pt").input_ids
        ends = tokenizer.convert_tokens_to_ids(stop)
        out = model.generate(ids, attention_mask=torch.ones_like(ids), do_sample=False, temperature=None, top_p=None,
                             max_new_tokens=1000, eos_token_id=ends, pad_token_id=0)
        return tokenizer.decode(out[0, ids.shape[1] :], clean_up_tokenization_spaces=False)

    traces = []
    for source, context, _ in held_out():
        text = continue_greedily(f"<|begin_of_text|><|trace_context_start|>{context}<|frame_sep|>", [END])
        # one that goes round for ever ends where a limit says so, and that is parley's
        if text.endswith(END):
            traces.append({"source": source, "frames": [read_frame(part) for part in text.split("<|frame_sep|>")[:-1]]})
        if len(traces) == PROGRAMS:
            break
    chats = []
    for prompt in PROMPTS:
        text = tokenizer.apply_chat_template([{"role": "user", "content": prompt}], add_generation_prompt=True, tokenize=False)
        said = continue_greedily(text, [END, "<|eom_id|>", "<|eot_id|>"])
        chats.append({"prompt": prompt, "text": re.sub(r"<\|\w+\|>$", "", said)})
    write_mapping(DATA / "pocket-cwm.json", {"traces": traces, "chats": chats})
    for chat in chats:
        print(chat)


def read_frame(text: str) -> dict:
    event, locals_text, rest = re.fullmatch(r"(<\|\w+_sep\|>)(.*?)<\|action_sep\|>(.*)", text, re.DOTALL).groups()
    source, _, value = rest.partition("<|arg_sep|>")
    if locals_text:
        return {"event": EVENT_OF[event], "source": source, "locals": json.loads(locals_text)}
    return {"event": EVENT_OF[event], "source": source, "value": json.loads(value)}


if __name__ == "__main__":
    main()
