from __future__ import annotations

import pytest
from lookout.credentials.secrets import Secrets, from_environment
from lookout.errors import SecretError, SecretGoneError


class Vault:
    """A store of secrets and one of parameters, with a clock."""

    def __init__(self, **values: str) -> None:
        self.values = values
        self.fails: SecretError | None = None
        self.calls: list[str] = []
        self.now = 0.0

    def fetch(self, name: str) -> str:
        self.calls.append(name)
        if self.fails is not None:
            raise self.fails
        if name not in self.values:
            raise SecretGoneError(f"secret {name!r} cannot be read: ResourceNotFoundException")
        return self.values[name]

    @property
    def secrets(self) -> Secrets:
        return Secrets({"secret": self.fetch, "ssm": lambda name: f"parameter {name}"}, lambda: self.now)


def test_each_scheme_has_its_store() -> None:
    secrets = Vault(a="value").secrets
    assert secrets.resolve("secret:a") == "value"
    assert secrets.resolve("ssm:/x/y") == "parameter /x/y"


def test_a_value_is_fetched_once_in_five_minutes() -> None:
    vault = Vault(a="one")
    secrets = vault.secrets
    assert [secrets.resolve("secret:a") for _ in range(3)] == ["one"] * 3
    vault.values["a"], vault.now = "two", 299.9
    assert secrets.resolve("secret:a") == "one"
    vault.now = 300.0
    assert secrets.resolve("secret:a") == "two"
    assert vault.calls == ["a", "a"]


def test_a_value_outlives_an_outage_of_its_store_but_not_its_deletion() -> None:
    vault = Vault(a="one")
    secrets = vault.secrets
    secrets.resolve("secret:a")
    vault.now, vault.fails = 301.0, SecretError("the store is down")
    assert secrets.resolve("secret:a") == "one"
    vault.now, vault.fails = 602.0, SecretGoneError("deleted")
    with pytest.raises(SecretGoneError):
        secrets.resolve("secret:a")
    vault.fails = SecretError("the store is down")
    with pytest.raises(SecretError, match="the store is down"):
        secrets.resolve("secret:a")
    assert secrets.remembered("secret:a") is None


def test_what_was_never_known_is_an_error() -> None:
    vault = Vault()
    vault.fails = SecretError("the store is down")
    with pytest.raises(SecretError, match="the store is down"):
        vault.secrets.resolve("secret:a")


def test_a_member_of_a_json_secret() -> None:
    vault = Vault(a='{"id": "lookout", "secret": " hunter2 ", "n": 7, "empty": ""}')
    secrets = vault.secrets
    assert secrets.resolve("secret:a#id") == "lookout"
    assert secrets.resolve("secret:a#secret") == "hunter2"
    assert vault.calls == ["a"]
    assert secrets.remembered("secret:a#id") == "lookout"
    assert secrets.remembered("secret:a#none") is None
    for reference, message in (
        ("secret:a#none", "has no text of that name"),
        ("secret:a#n", "has no text of that name"),
        ("secret:a#empty", "secret:a#empty is empty"),
    ):
        with pytest.raises(SecretError, match=message):
            secrets.resolve(reference)


@pytest.mark.parametrize("value", ["hunter2", "[1]", '"hunter2"', "[" * 100_000])
def test_a_secret_that_is_no_json_object_has_no_members(value: str) -> None:
    with pytest.raises(SecretError, match="the secret is no JSON object") as caught:
        Vault(a=value).secrets.resolve("secret:a#x")
    assert "hunter2" not in str(caught.value)


def test_the_line_end_of_a_pasted_secret_is_no_part_of_it() -> None:
    assert Vault(a="\nhunter2\r\n").secrets.resolve("secret:a") == "hunter2"
    with pytest.raises(SecretError, match="secret:a is empty"):
        Vault(a=" \n").secrets.resolve("secret:a")


@pytest.mark.parametrize("text", ["hunter2", "secret:", "", "ssm:x"])
def test_what_is_no_reference_is_not_repeated(text: str) -> None:
    with pytest.raises(SecretError, match=r"what is not a reference .* cannot be resolved") as caught:
        Vault().secrets.resolve(text)
    assert "hunter2" not in str(caught.value)
    assert Vault().secrets.remembered(text) is None


def test_the_environment_is_for_the_command_line() -> None:
    with pytest.raises(SecretError, match="env: references cannot be resolved here"):
        Vault().secrets.resolve("env:TOKEN")
    secrets = Secrets({"env": from_environment({"TOKEN": "hunter2"})}, lambda: 0.0)
    assert secrets.resolve("env:TOKEN") == "hunter2"
    with pytest.raises(SecretGoneError, match="the environment variable OTHER is not set"):
        secrets.resolve("env:OTHER")
