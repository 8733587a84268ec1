"""Every requirement of ours names one version, and the lock files hold that version."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import pytest

from tests.unit.docs.pages import read

PROJECT: dict[str, Any] = tomllib.loads(read("pyproject.toml"))
GROUPS: dict[str, list[Any]] = {"dependencies": PROJECT["project"]["dependencies"], **PROJECT["dependency-groups"]}
LOCKS = {
    "dependencies": ("requirements.txt", "requirements-dev.txt"),
    "local": ("requirements.txt", "requirements-dev.txt"),
    "dev": ("requirements-dev.txt",),
    "ministack": ("requirements-local.txt",),
    "node": ("requirements-node.txt",),
    "action": ("requirements-action.txt",),
}


def test_every_group_is_tested() -> None:
    assert set(GROUPS) == set(LOCKS)


@pytest.mark.parametrize("group", list(LOCKS))
def test_requirements_are_exact_and_locked(group: str) -> None:
    wanted = [one for one in GROUPS[group] if isinstance(one, str)]
    assert wanted
    for lock in LOCKS[group]:
        text = read(lock)
        for one in wanted:
            assert re.fullmatch(r"[A-Za-z0-9_.-]+(\[[a-z,]+\])?==[0-9][^,;* ]*", one), f"{one}: write name==version"
            name, version = re.sub(r"\[.*\]", "", one).split("==")
            assert re.search(rf"^{re.escape(name)}=={re.escape(version)}[ \\;\n]", text, re.MULTILINE), f"{lock}: {one}"


@pytest.mark.parametrize(
    "lock", sorted({lock for locks in LOCKS.values() for lock in locks} | {"layers/vendor/requirements.txt"})
)
def test_every_locked_package_has_a_hash(lock: str) -> None:
    entries = re.split(r"\n(?=\S)", re.sub(r"^#.*\n", "", read(lock), flags=re.MULTILINE).strip())
    assert len(entries) > 1
    assert [entry.split(" ")[0] for entry in entries if "--hash=sha256:" not in entry] == []
