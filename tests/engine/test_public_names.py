"""What `xpm_engine` offers by name is there, and its tables agree."""

from __future__ import annotations

import importlib
import typing

import pytest

import xpm_engine
from xpm_engine.config import store

PACKAGES = ["xpm_engine", "xpm_engine.config"]


@pytest.mark.parametrize("name", PACKAGES)
def test_every_public_name_is_there(name: str) -> None:
    package = importlib.import_module(name)
    assert package.__all__ == sorted(package.__all__)
    for each in package.__all__:
        assert getattr(package, each) is not None
    homes = package._HOMES
    assert set(homes) <= set(package.__all__)
    assert set(package.__all__) <= {*homes, *vars(package)}


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        getattr(xpm_engine, "nonsense")  # noqa: B009 (the name is unknown to type checkers)


def test_load_is_the_one_for_people() -> None:
    assert xpm_engine.load is store.load
    assert typing.get_type_hints(xpm_engine.save)["return"] is type(None)
