"""What the trainers share: a step of the optimiser, the state to go on from, and a line of losses now and then."""

import time
from pathlib import Path

import torch
from torch import nn

LOG_EVERY = 50
SAVE_EVERY = 250


class TrainingRun:
    """A run that may end at any time: it goes on from the state it saved last, or from step 0 where there is none."""

    def __init__(
        self,
        path: Path,
        modules: dict[str, nn.Module],
        optimiser: torch.optim.Optimizer,
        longest_gradient: float,
        left_out: tuple[str, ...] = (),
    ):
        """`left_out`: beginnings of the names of weights that are not saved."""
        self.path, self.modules, self.optimiser = path, modules, optimiser
        self.longest_gradient, self.left_out = longest_gradient, left_out
        self.parameters = [p for group in optimiser.param_groups for p in group["params"]]
        self.step = 0
        if path.exists():
            self._load()
        self._begin_line()

    def learn(self, losses: dict[str, torch.Tensor], rate: float) -> None:
        """One step down the sum of the losses."""
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.optimiser.zero_grad()
        sum(losses.values()).backward()
        nn.utils.clip_grad_norm_(self.parameters, self.longest_gradient)
        self.optimiser.step()
        self.step += 1
        self.steps_in_line += 1
        for name, loss in losses.items():
            self.sums[name] = self.sums.get(name, 0.0) + float(loss.detach())

    def log(self, note: str = "") -> None:
        """Prints the mean losses and the seconds of a step since the last line."""
        means = " ".join(f"{name} {total / self.steps_in_line:.3f}" for name, total in self.sums.items())
        seconds = (time.time() - self.clock) / self.steps_in_line
        print(" | ".join(part for part in (f"{self.step} {means}", note, f"{seconds:.3f} s") if part), flush=True)
        self._begin_line()

    def save(self) -> None:
        """Replaces the saved state in one go, so that a run that is ended while it saves keeps the one before."""
        state = {name: self._weights(module) for name, module in self.modules.items()}
        state |= {"optimiser": self.optimiser.state_dict(), "step": self.step}
        new = self.path.with_suffix(".new")
        torch.save(state, new)
        new.rename(self.path)
        self.clock = time.time()

    def _load(self) -> None:
        state = torch.load(self.path)
        for name, module in self.modules.items():
            module.load_state_dict(state[name], strict=not self.left_out)
        # a checkpoint that was taken apart (resume.py) has none
        if "optimiser" in state:
            self.optimiser.load_state_dict(state["optimiser"])
        self.step = state["step"]

    def _weights(self, module: nn.Module) -> dict[str, torch.Tensor]:
        return {name: w for name, w in module.state_dict().items() if not name.startswith(self.left_out)}

    def _begin_line(self) -> None:
        self.clock, self.sums, self.steps_in_line = time.time(), {}, 0
