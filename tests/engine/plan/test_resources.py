"""What a job needs: who says it, and what could never be had."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from xpm_engine import Param, Resources, Task, Token
from xpm_engine.config.submitting import SubmitOptions
from xpm_engine.errors import UsageError
from xpm_engine.launchers.base import Capacity
from xpm_engine.launchers.local import LocalLauncher
from xpm_engine.plan.resources import ResourceRules


class Plain(Task):
    x: Param[int] = 0


class Large(Task):
    resources: ClassVar[Resources] = Resources(cpus=4)


def _rules(**settings: Any) -> ResourceRules:
    return ResourceRules(Capacity(4, 8 * 1024**3, ("0",)), {"licence": 2}, **settings)


def test_the_submit_beats_the_class_beats_the_settings() -> None:
    said = SubmitOptions(resources=Resources(cpus=2))
    assert _rules().choose(Plain(), SubmitOptions()) == Resources()
    rules = _rules(default=Resources(cpus=3))
    assert rules.choose(Plain(), SubmitOptions()).cpus == 3
    assert rules.choose(Large(), SubmitOptions()).cpus == 4
    assert rules.choose(Large(), said).cpus == 2


@pytest.mark.parametrize(
    ("needs", "says"),
    [
        (Resources(cpus=5), "needs 5 cores, out of 4 cores in all"),
        (Resources(memory="9GiB"), "needs 9 GiB of memory, out of 8 GiB of memory in all"),
        (Resources(gpus=2), "needs 2 GPUs, out of 1 GPU in all"),
        (Resources(tokens={"licence": 3}), "needs 3 of the token 'licence', out of 2 of"),
        (Resources(tokens={"license": 1}), "did you mean 'licence'"),
        (Resources(tokens={"disk": 1}), "disk = 1"),
        ({"cpus": 1}, "write resources=Resources"),
    ],
)
def test_what_can_never_be_had_is_told_at_once(needs: Any, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        _rules().choose(Plain(), SubmitOptions(resources=needs))
    assert says in str(caught.value)
    assert "Plain" in caught.value.what


def test_a_token_can_bring_its_count_along() -> None:
    rules = _rules()
    disk = Token("disk", 3)
    rules.choose(Plain(), SubmitOptions(resources=Resources(tokens={disk: 2})))
    assert dict(rules.limits.tokens) == {"licence": 2, "disk": 3}
    rules.choose(Plain(), SubmitOptions(resources=Resources(tokens={"disk": 1})))
    with pytest.raises(UsageError, match="another task of this plan says"):
        rules.choose(Plain(), SubmitOptions(resources=Resources(tokens={Token("disk", 4): 1})))


def test_what_the_machine_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,GPU-ab, 5")
    found = LocalLauncher().capacity()
    assert found.devices == ("2", "GPU-ab", "5")
    assert found.memory is not None
    assert found.memory > 1e8
    assert found.here
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,-1,2")
    assert LocalLauncher().capacity().devices == ("0",)
    assert LocalLauncher(cores=3, memory="1GiB", gpus=2).capacity() == Capacity(
        3, 1024**3, ("0", "1"), here=True
    )
