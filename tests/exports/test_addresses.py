"""Which hosts and ports may be reached: nothing inside, in no spelling, by no name (RELIABILITY T3)."""

from __future__ import annotations

import ipaddress
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exports import addresses
from exports.addresses import BLOCKED, Guard, is_public, read_host, read_networks, read_port, read_ports
from exports.errors import AddressBlocked, HostUnknown, NamesUnavailable
from tests.fix_hostile import ENTRIES, group, shown

OUTSIDE = "93.184.216.34"
TWO_ANSWERS = "host with A=public and AAAA=::1"


class Names:
    """A resolver that knows a few names, and remembers what it was asked."""

    def __init__(self, **known: list[str]) -> None:
        self.known = {name.replace("_", "."): found for name, found in known.items()}
        self.asked: list[str] = []

    def __call__(self, host: str, port: int) -> list[str]:
        self.asked.append(host)
        if host not in self.known:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return self.known[host]


def test_every_hostile_host_has_its_outcome_and_nobody_is_asked_for_it() -> None:
    names = Names(example_com=[OUTSIDE])
    for entry in ENTRIES:
        if entry["group"] != "target_host" or entry["value"] == TWO_ANSWERS:
            continue
        value = entry["value"] if isinstance(entry["value"], str) else entry["value"]["$repeat"] * entry["value"]["n"]
        if entry["expect"].startswith("reject"):
            with pytest.raises(ValueError, match="must be a name"):
                read_host(value)
        elif entry["expect"].startswith("blocked"):
            with pytest.raises(AddressBlocked):
                Guard(resolver=names).addresses(read_host(value), 22)
        else:
            assert read_host(value) == "xn--e1afmkfd.xn--p1ai", shown(value)
    assert names.asked == []


def test_every_hostile_port_has_its_outcome() -> None:
    for value, is_refused in group("target_port"):
        if is_refused:
            with pytest.raises(ValueError, match="whole number from 1 to 65535"):
                read_port(value)
        else:
            with pytest.raises(AddressBlocked):
                Guard().check("example.com", read_port(value))


@pytest.mark.parametrize("found", [[OUTSIDE, "::1"], ["10.0.0.1", OUTSIDE], ["::ffff:127.0.0.1"], ["64:ff9b::7f00:1"]])
def test_one_answer_that_is_inside_blocks_the_name(found: list[str]) -> None:
    with pytest.raises(AddressBlocked):
        Guard(resolver=Names(example_com=found)).addresses("example.com", 22)


def test_a_name_outside_gives_the_addresses_that_are_connected_to() -> None:
    guard = Guard(resolver=Names(example_com=[OUTSIDE, "2606:2800:220:1:248:1893:25c8:1946", OUTSIDE]))
    assert [str(one) for one in guard.addresses("example.com", 22)] == [OUTSIDE, "2606:2800:220:1:248:1893:25c8:1946"]


def test_every_block_is_told_in_the_same_words() -> None:
    told = set()
    for host, port in [("127.0.0.1", 22), ("example.com", 5432), ("inside.example.com", 22)]:
        with pytest.raises(AddressBlocked) as blocked:
            Guard(resolver=Names(inside_example_com=["10.0.0.1"])).addresses(host, port)
        told.add((blocked.value.message, blocked.value.advised))
    assert len(told) == 1


def test_a_name_that_is_not_there_is_told_apart_from_name_servers_that_are_away() -> None:
    def away(_host: str, _port: int) -> list[str]:
        raise socket.gaierror(socket.EAI_AGAIN, "away")

    with pytest.raises(HostUnknown) as unknown:
        Guard(resolver=Names()).addresses("example.com", 22)
    with pytest.raises(NamesUnavailable) as unavailable:
        Guard(resolver=away).addresses("example.com", 22)
    assert (unknown.value.permanent, unavailable.value.permanent) == (True, False)


@given(st.sampled_from(BLOCKED), st.data())
def test_no_address_of_a_blocked_network_is_reached_in_any_disguise(
    network: ipaddress.IPv4Network, data: st.DataObject
) -> None:
    size = network.num_addresses - 1
    address = network[data.draw(st.integers(0, size))]
    assert not is_public(address)
    if isinstance(address, ipaddress.IPv4Address):
        number = int(address)
        for disguise in (
            ipaddress.IPv6Address(0xFFFF << 32 | number),
            ipaddress.IPv6Address(number),
            ipaddress.IPv6Address(0x64FF9B << 96 | number),
            ipaddress.IPv6Address(0x2002 << 112 | number << 80 | 1),
            ipaddress.IPv6Address(0x20010000 << 96 | (number ^ 0xFFFFFFFF)),
            ipaddress.IPv6Address(0x20010000 << 96 | number << 64),
        ):
            assert not is_public(disguise), disguise
        for spelling in (str(number), hex(number), f"0{number:o}", f"[::ffff:{address}]", f"{address}."):
            with pytest.raises(AddressBlocked):
                Guard(resolver=Names()).addresses(read_host(spelling), 22)


@given(st.text(max_size=40))
def test_whatever_is_typed_is_refused_or_read_to_something_that_reads_the_same(text: str) -> None:
    try:
        host = read_host(text)
    except ValueError:
        return
    assert host.isascii()
    assert read_host(host) == host


@pytest.mark.parametrize("text", ["１２７.0.0.1", "ⓛocalhost", "127。0。0。1", "sub.LOCALHOST", "localhost."])
def test_letters_that_stand_for_others_do_not_get_in(text: str) -> None:
    with pytest.raises(AddressBlocked):
        Guard(resolver=Names()).addresses(read_host(text), 22)


def test_what_the_operator_allows_can_be_reached_and_nothing_beside_it() -> None:
    guard = Guard(read_networks("10.1.0.0/16, 127.0.0.1:2222, [::1]:2222, fd00::/8"), resolver=Names())
    for host, port in [("10.1.2.3", 22), ("127.0.0.1", 2222), ("localhost", 2222), ("fd00::7", 990), ("::1", 2222)]:
        assert guard.addresses(host, port)
    for host, port in [("10.2.0.1", 22), ("127.0.0.1", 22), ("127.0.0.2", 2222), ("10.1.2.3", 5432), ("::1", 22)]:
        with pytest.raises(AddressBlocked):
            guard.addresses(host, port)


def test_a_port_that_is_allowed_on_one_machine_is_not_allowed_on_others() -> None:
    guard = Guard(read_networks("127.0.0.1:5432"), resolver=Names(example_com=[OUTSIDE]))
    assert guard.addresses("127.0.0.1", 5432)
    with pytest.raises(AddressBlocked):
        guard.addresses("example.com", 5432)


def test_networks_are_told_as_the_setting_has_them() -> None:
    setting = "10.1.0.0/16, 192.168.7.4/32, 127.0.0.1:2222, [::1]:2222, fd00::/8"
    assert ", ".join(map(str, read_networks(setting))) == setting


def test_ports_are_ranges_less_what_is_taken_out() -> None:
    ports = read_ports("21, 1024-2048, !1433")
    assert [one for one in (20, 21, 22, 1023, 1024, 1433, 2048, 2049) if one in ports] == [21, 1024, 2048]
    usual = read_ports(addresses.DEFAULT_PORTS)
    assert all(one in usual for one in (21, 22, 990, 2222, 65535))
    assert not any(one in usual for one in (23, 25, 80, 443, 3306, 5432, 6379, 9200, 11211, 27017, 2375, 2380))
