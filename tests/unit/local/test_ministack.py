"""The local AWS itself: started, spoken to, stopped, started again."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from lookout.errors import LocalError, SecretError
from lookout.local import account, processes
from lookout.local.layout import Layout, read_json, write_json
from lookout.local.ministack import (
    NAME,
    client_env,
    forget_clients,
    rewind_streams,
    running_ministack,
    server_env,
    start_ministack,
)
from lookout.local.web import get, serves
from lookout.store.aws import client, secret_value

ROOT = Path(__file__).parents[3]


def test_it_keeps_its_data_across_restarts_and_leaves_no_process(tmp_path: Path, new_port: Callable[[], int]) -> None:
    layout = Layout.of(ROOT, tmp_path)
    port = new_port()
    aws = start_ministack(port, layout.data, persist=True, layout=layout)
    try:
        assert running_ministack(layout) == aws
        with pytest.raises(LocalError, match=f"port {port}"):
            start_ministack(port, layout.data, persist=True, layout=layout)
        with aws.applied():
            account.put_secret("us-east-1", "name", "one")
            account.put_secret("us-east-1", "name", "two")
    finally:
        aws.stop()
    assert running_ministack(layout) is None
    assert not aws.ready
    assert not (layout.data / "tmp").exists()
    aws = start_ministack(port, layout.data, persist=True, layout=layout)
    try:
        with aws.applied():
            assert secret_value("us-east-1", "name") == "two"
    finally:
        aws.stop()
    assert processes.recorded(layout.run, NAME) is None


def test_streams_wake_their_readers_after_a_restart(tmp_path: Path) -> None:
    rewind_streams(tmp_path)
    path = tmp_path / "lambda.json"
    positions = {"__account_region_scoped__": True, "data": {"one": 12, "two": 24}}
    write_json(path, {"payload": {"functions": {"x": 1}, "dynamodb_stream_positions": positions}})
    rewind_streams(tmp_path)
    assert read_json(path)["payload"] == {
        "functions": {"x": 1},
        "dynamodb_stream_positions": {"__account_region_scoped__": True, "data": {"one": 0, "two": 0}},
    }


def test_objects_without_saved_state_are_not_kept(tmp_path: Path, new_port: Callable[[], int]) -> None:
    layout = Layout.of(ROOT, tmp_path)
    (layout.data / "s3" / "stale").mkdir(parents=True)
    aws = start_ministack(new_port(), layout.data, persist=True, layout=layout)
    aws.stop()
    assert not (layout.data / "s3" / "stale").exists()


def test_what_is_asked_of_an_account(local_aws: str) -> None:
    assert account.identity("us-east-1")[0] == "000000000000"
    assert not account.bootstrapped("us-east-1")
    template = '{"Resources": {"Q": {"Type": "AWS::SQS::Queue"}}}'
    client("cloudformation", "us-east-1").create_stack(StackName="CDKToolkit", TemplateBody=template)
    assert account.bootstrapped("us-east-1")
    assert not account.bootstrapped("eu-west-1")
    assert not account.secret_exists("us-east-1", "name")
    account.put_secret("us-east-1", "name", "value")
    assert account.secret_exists("us-east-1", "name")
    with pytest.raises(LocalError, match="lookout-none in us-east-1 cannot be invoked"):
        account.invoke("us-east-1", "lookout-none", {})
    assert serves(f"{local_aws}/_ministack/health")
    assert get(f"{local_aws.replace('127.0.0.1', 'none.s3-website.us-east-1.localhost')}/").status >= 400


def test_a_foreign_key_is_refused(local_aws: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    forget_clients()
    try:
        with pytest.raises(LocalError, match="refuses your credentials"):
            account.stack_status("us-east-1", "CDKToolkit")
        with pytest.raises(SecretError):
            secret_value("us-east-1", "name")
    finally:
        forget_clients()


def test_an_unreachable_account_is_said(new_port: Callable[[], int], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in client_env(new_port()).items():
        monkeypatch.setenv(name, value)
    forget_clients()
    try:
        with pytest.raises(LocalError, match="did not accept"):
            account.identity("us-east-1")
        with pytest.raises(LocalError, match="stacks of us-east-1 cannot be read"):
            account.bootstrapped("us-east-1")
    finally:
        forget_clients()


def test_a_failed_start_shows_the_log(
    tmp_path: Path, new_port: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    layout = Layout.of(tmp_path)
    python = layout.ministack_venv / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text("#!/bin/sh\necho cannot; exit 1\n")
    python.chmod(0o755)
    with pytest.raises(LocalError, match=r"did not start(.|\n)*cannot"):
        start_ministack(new_port(), layout.data, persist=False, layout=layout)


def test_functions_inherit_nothing_of_the_developers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "precious")
    monkeypatch.setenv("GITHUB_TOKEN", "precious")
    env = server_env(Layout.of(tmp_path), 4566, tmp_path, persist=True)
    assert "precious" not in env.values()
    assert (env["AUTH"], env["BIND_HOST"], env["PERSIST_STATE"]) == ("true", "127.0.0.1", "1")


def test_clients_are_kept_away_from_any_real_account() -> None:
    env = client_env(5566)
    assert env["AWS_ENDPOINT_URL"] == "http://127.0.0.1:5566"
    assert (env["AWS_CONFIG_FILE"], env["AWS_SHARED_CREDENTIALS_FILE"]) == (os.devnull, os.devnull)


@pytest.mark.parametrize("url", ["https://127.0.0.1/", "http://example.com/", "http://localhost.example.com/"])
def test_only_this_machine_is_read(url: str) -> None:
    with pytest.raises(OSError, match="not an address of this machine"):
        get(url)
    assert not serves(url)
