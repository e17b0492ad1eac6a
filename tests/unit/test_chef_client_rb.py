"""The configuration that the stand-in for chef-client reads, and the values that it refuses."""

from pathlib import Path

import pytest

from labswarm.errors import BadInput
from labswarm_lab.chef.client import main, parse_run_list
from labswarm_lab.chef.client_rb import parse_client_rb


def test_settings_comments_quotes_and_symbols_are_read() -> None:
    text = """
    # a comment
    chef_server_url "https://chef.example/organizations/labs"
    node_name 'lab-i-1'   # another
    ssl_verify_mode :verify_peer
    log_level :info
    trusted_certs_dir "/etc/chef/trusted_certs"
    """

    assert parse_client_rb(text, "client.rb") == {
        "chef_server_url": "https://chef.example/organizations/labs",
        "node_name": "lab-i-1",
    }


@pytest.mark.parametrize(
    "line",
    [
        "node_name ENV['X']",
        'node_name "lab-#{1}"',
        "cookbook_path ['/a']",
        'validation_key "/etc/chef/validation.pem"',
        "ssl_verify_mode :verify_none",
        "puts 1",
    ],
)
def test_a_line_it_does_not_know_is_refused_with_its_number(line: str) -> None:
    with pytest.raises(BadInput, match=r"^client\.rb:2: "):
        parse_client_rb(f"# first\n{line}\n", "client.rb")


def test_a_run_list_is_read_as_chef_client_reads_it() -> None:
    assert parse_run_list("role[worker], base ,recipe[a::b@1.0]") == [
        "role[worker]",
        "recipe[base]",
        "recipe[a::b@1.0]",
    ]


def test_a_run_list_item_that_is_none_is_refused() -> None:
    with pytest.raises(BadInput, match=r"--runlist: .*role\[a"):
        parse_run_list("role[a")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('node_name "a"\nclient_key "/k"\n', "it has no chef_server_url"),
        ("nonsense\n", "client.rb:1"),
        (
            'chef_server_url "https://127.0.0.1:1"\nnode_name "a"\nclient_key "/nowhere"\n',
            "/nowhere: it is no readable private key",
        ),
    ],
)
def test_a_bad_configuration_ends_with_exit_code_2_and_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, said: str
) -> None:
    config = tmp_path / "client.rb"
    config.write_text(text)

    assert main(["--once", "-c", str(config), "-r", "role[worker]"]) == 2

    written = capsys.readouterr()
    assert written.err == ""
    assert " FATAL: BadInput: " in written.out
    assert said in written.out
    assert written.out.count("\n") == 1
