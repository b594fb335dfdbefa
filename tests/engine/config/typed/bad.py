# pyright: strict
from __future__ import annotations

from pathlib import Path

from xpm_engine.config import Config, LightTask, Param, Task, pathgenerator, tag


class Adam(Config):
    lr: Param[float] = 1e-3
    steps: Param[int]


class Wrong(Config):
    lr: Param[float] = "x"  # refused


class Model(Config):
    adam: Param[Adam]


class Learner(Task[Model]):
    index: Param[Path] = pathgenerator("index")

    def output(self) -> Adam:  # refused
        return Adam(steps=1)


class Load(LightTask):
    model: Param[Model]


Adam(lr="x", steps=1)  # refused
Adam(lr=0.1)  # refused
Adam(lr=0.1, steps=1, wd=3)  # refused
Adam(0.1, 1)  # refused
Adam(steps=tag("x"))  # refused
print(Adam(steps=1).lrr)  # refused
Adam(steps=1).lr = "x"  # refused
Model(adam=Model(adam=Adam(steps=1)))  # refused
Learner(index=Path("x"))  # refused
text: str = Learner().submit()  # refused
Load(model=3)  # refused
Load(model=Model(adam=Adam(steps=1))).submit()  # refused
Learner().submit(before=[Adam(steps=1)])  # refused
Learner(before=[])  # refused
