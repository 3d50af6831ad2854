"""Who asks, and what we are called, when nobody says."""

import ipaddress
import socket

import pytest
from movie_api.http.addresses import Addresses, host_is_loopback, is_loopback, subscriber_of


@pytest.mark.parametrize(
    "host", ["localhost", "LocalHost.", "127.0.0.1", "127.255.0.9", "::1", "[::1]", "::ffff:127.0.0.1"]
)
def test_these_are_this_machine(host):
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["", "0.0.0.0", "::", "127.1", "localhost.example", "10.0.0.1", "::ffff:10.0.0.1", "0x7f.1"]
)
def test_these_are_not(host):
    assert not is_loopback(host)


@pytest.mark.parametrize(
    "header", [None, "", "localhost:", "localhost:x", "local host", "[::1", "localhost/x", "user@localhost"]
)
def test_a_host_header_that_is_none_is_not_this_machine(header):
    assert not host_is_loopback(header)


@pytest.mark.parametrize(
    ("host", "base"),
    [
        ("127.0.0.1", "http://127.0.0.1:5000"),
        ("localhost", "http://localhost:5000"),
        ("::1", "http://[::1]:5000"),
        ("192.168.1.7", "http://192.168.1.7:5000"),
        ("films.example", "http://films.example:5000"),
    ],
)
def test_we_are_called_what_we_are_bound_to(host, base):
    assert Addresses(None, (), host, 5000).base({"HTTP_HOST": "evil.example"}) == base


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_bound_to_all_we_are_called_what_the_caller_reached(host):
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()):
        connection, _ = listener.accept()
        with connection:
            environ = {"HTTP_HOST": "evil.example", "gunicorn.socket": connection}
            assert Addresses(None, (), host, 5000).base(environ) == "http://127.0.0.1:5000"


def test_a_chain_of_trusted_proxies_is_followed_to_the_first_stranger():
    addresses = Addresses(None, [ipaddress.ip_network("10.0.0.0/8")], "127.0.0.1", 5000)
    environ = {"REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_FOR": "1.1.1.1, 203.0.113.7, 10.0.0.9"}
    assert addresses.client(environ) == "203.0.113.7"


@pytest.mark.parametrize("forwarded", ["", "unknown", "203.0.113.7:1234, x", "\u0661"])
def test_what_is_no_address_is_not_taken_for_the_client(forwarded):
    addresses = Addresses(None, [ipaddress.ip_network("10.0.0.0/8")], "127.0.0.1", 5000)
    assert addresses.client({"REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_FOR": forwarded}) == "10.0.0.1"


@pytest.mark.parametrize(
    ("address", "subscriber"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2::", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
    ],
)
def test_an_address_is_counted_as_whom_it_is_of(address, subscriber):
    assert subscriber_of(address) == subscriber


@pytest.mark.parametrize(
    ("peer", "header", "is_hidden"),
    [
        ("10.0.0.1", "HTTP_X_FORWARDED_FOR", False),
        ("192.0.2.1", "HTTP_X_FORWARDED_FOR", True),
        ("192.0.2.1", "HTTP_FORWARDED", True),
        ("192.0.2.1", "HTTP_ACCEPT", False),
    ],
)
def test_a_proxy_that_is_not_trusted_hides_its_callers(peer, header, is_hidden):
    addresses = Addresses(None, [ipaddress.ip_network("10.0.0.0/8")], "127.0.0.1", 5000)
    assert addresses.hides_callers({"REMOTE_ADDR": peer, header: "203.0.113.7"}) == is_hidden
