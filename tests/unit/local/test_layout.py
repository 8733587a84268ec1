from __future__ import annotations

from pathlib import Path

import pytest
from lookout.errors import LocalError
from lookout.local import layout as module
from lookout.local.layout import Layout, chosen_port, find_root, other_port, read_json, write_json

ROOT = Path(__file__).parents[3]


def test_the_root_is_found_from_below_and_from_elsewhere(tmp_path: Path) -> None:
    assert find_root(ROOT / "tests" / "unit") == ROOT
    assert find_root(tmp_path) == ROOT


def test_without_a_working_copy_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "__file__", str(tmp_path / "site-packages" / "layout.py"))
    with pytest.raises(LocalError, match="clone of the repository"):
        find_root(tmp_path)


def test_everything_made_lies_in_the_working_copy(tmp_path: Path) -> None:
    here = Layout.of(tmp_path)
    made = (here.venv, here.ministack_venv, here.run, here.logs, here.data, here.config, here.outputs, here.received)
    assert all(path.is_relative_to(tmp_path.resolve()) for path in (*made, here.secrets))
    assert here.demo_config == tmp_path.resolve() / "examples" / "local" / "lookout.yaml"


@pytest.mark.parametrize(("text", "port"), [(None, 4566), ("", 4566), ("5566", 5566)])
def test_the_port(text: str | None, port: int) -> None:
    assert chosen_port({} if text is None else {"LOOKOUT_PORT": text}) == port


@pytest.mark.parametrize("text", ["80", "70000", "x", "-1", "4566 "])
def test_what_is_no_port(text: str) -> None:
    with pytest.raises(LocalError, match="LOOKOUT_PORT"):
        chosen_port({"LOOKOUT_PORT": text})


@pytest.mark.parametrize(("text", "shown"), [("6566", 6566), ("5057", 5061), ("6000", 6000)])
def test_a_port_browsers_refuse(text: str, shown: int) -> None:
    with pytest.raises(LocalError, match=f"port {shown}, which browsers refuse"):
        chosen_port({"LOOKOUT_PORT": text})


@pytest.mark.parametrize(("taken", "offered"), [(4566, 5560), (4570, 5570), (4066, 5070), (64_566, 5566)])
def test_the_port_that_is_offered_instead_is_usable(taken: int, offered: int) -> None:
    assert other_port(taken) == offered


def test_json_files(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b.json"
    assert read_json(path) is None
    write_json(path, {"a": 1}, secret=True)
    assert read_json(path) == {"a": 1}
    assert path.stat().st_mode & 0o777 == 0o600
    assert [p.name for p in path.parent.iterdir()] == ["b.json"]
    path.write_text("{")
    assert read_json(path) is None
