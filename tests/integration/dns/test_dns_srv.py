# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What dns_srv makes of records that somebody else has changed; dig, samba-tool and nsupdate are the witnesses."""

from __future__ import annotations

import os
import subprocess

import pytest

from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.session import open_session
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.settings import DirectorySettings
from lab import names
from lab.domain.controller import Domain

from ..conftest import NEEDS_DOMAIN
from .bind import WILD, WILD_SERVICES, Bind
from .helpers import DC_ADDRESS, DEFAULTS, GSS, Place, shown

pytestmark = [pytest.mark.tier("test"), NEEDS_DOMAIN]

ONE, TWO, OTHER = "10 75 1688 kms-1.contoso.com", "10 25 1688 kms-2.contoso.com", "0 0 1688 other.contoso.com"
MADE, GONE = ("absent", "present"), ("present", "absent")


def test_values_are_made_once_and_taken_away_again(place: Place) -> None:
    planned = place.ensure(ONE, TWO, ttl=900, check_mode=True)
    assert place.held() == {}
    done = place.ensure(ONE, TWO, ttl=900)
    assert done.steps == planned.steps
    assert shown(done.steps) == {f"value {ONE}": MADE, f"value {TWO}": MADE}
    assert done.result["after"] == planned.result["after"]
    assert place.held() == {ONE: 900, TWO: 900}
    assert place.ensure(ONE, TWO, ttl=900).steps == []
    assert shown(place.ensure(ONE, state="absent").steps) == {f"value {ONE}": GONE}
    assert place.held() == {TWO: 900}
    assert shown(place.ensure(state="exact").steps) == {f"value {TWO}": GONE}
    assert place.held() == {}


DRIFTS = {
    "value removed": lambda place: place.delete(TWO),
    "value of somebody else": lambda place: place.add(OTHER),
    "another priority": lambda place: (place.delete(ONE), place.add("0 75 1688 kms-1.contoso.com")),
    "another weight": lambda place: (place.delete(ONE), place.add("10 5 1688 kms-1.contoso.com")),
    "another port": lambda place: (place.delete(ONE), place.add("10 75 1689 kms-1.contoso.com")),
    "nothing": lambda place: None,
}
STRAY = {
    "value of somebody else": OTHER,
    "another priority": "0 75 1688 kms-1.contoso.com",
    "another weight": "10 5 1688 kms-1.contoso.com",
    "another port": "10 75 1689 kms-1.contoso.com",
}
MISSING = {"value removed": TWO, "another priority": ONE, "another weight": ONE, "another port": ONE}
WAYS = {
    "present": {},
    "present by target": {"match": "target"},
    "exact": {"state": "exact"},
    "absent": {"state": "absent"},
    "absent by target": {"state": "absent", "match": "target"},
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("drift", DRIFTS)
def test_each_drift_is_reported_and_mended_as_exactly_that(request: pytest.FixtureRequest, drift: str, way: str) -> None:
    """On BIND, and those that add or remove something of somebody else on Active Directory as well."""
    for name in ("keyed", "secure") if (drift, way) in ON_BOTH else ("keyed",):
        place: Place = request.getfixturevalue(name)
        place.ensure(ONE, TWO)
        DRIFTS[drift](place)
        before = place.held()
        expected = expected_steps(drift, way)
        planned = place.ensure(ONE, TWO, check_mode=True, **WAYS[way])
        assert place.held() == before
        done = place.ensure(ONE, TWO, **WAYS[way])
        assert shown(planned.steps) == shown(done.steps) == expected
        wanted = set(before) | {text for text, change in named(expected) if change == MADE}
        assert set(place.held()) == wanted - {text for text, change in named(expected) if change == GONE}
        assert place.ensure(ONE, TWO, **WAYS[way]).steps == []


ON_BOTH = {("value of somebody else", "exact"), ("another priority", "present by target"), ("value removed", "present")}


def named(steps: dict[str, tuple[object, object]]) -> list[tuple[str, tuple[object, object]]]:
    return [(attribute.removeprefix("value "), change) for attribute, change in steps.items()]


def expected_steps(drift: str, way: str) -> dict[str, tuple[object, object]]:
    """By hand: what is missing is made, unless it is to be absent; what is strange goes only where it is meant."""
    stray, missing = STRAY.get(drift), MISSING.get(drift)
    same_target = stray is not None and stray != OTHER
    steps = {}
    if way.startswith("absent"):
        steps = {f"value {text}": GONE for text in (ONE, TWO) if text != missing}
    elif missing:
        steps[f"value {missing}"] = MADE
    if stray and (way == "exact" or (way.endswith("by target") and same_target)):
        steps[f"value {stray}"] = GONE
    return steps


def test_a_controller_whose_name_is_in_another_domain(secure: Place, running: Domain) -> None:
    """A disjoint namespace: the controller of contoso.com is known as dc1.fabrikam.com, to DNS and to Kerberos."""
    administrator = [f"-U{names.ADMINISTRATOR}%{names.ADMINISTRATOR_PASSWORD}"]
    database = ["-H", str(running.layout.samba / "private" / "sam.ldb")]
    for argv in (
        ["dns", "zonecreate", DC_ADDRESS, "fabrikam.com", *administrator],
        ["dns", "add", DC_ADDRESS, "fabrikam.com", "dc1", "A", DC_ADDRESS, *administrator],
        *(["spn", "add", f"{service}/dc1.fabrikam.com", f"{names.DC_FQDN.partition('.')[0]}$", *database] for service in ("DNS", "ldap")),
    ):
        environment = {**os.environ, "KRB5_CONFIG": str(running.layout.krb5_conf)}
        given = ["samba-tool", *argv, f"--configfile={running.smb_conf}"]
        subprocess.run(given, check=True, capture_output=True, env=environment, stdin=subprocess.DEVNULL)
    assert shown(secure.ensure(ONE, server="dc1.fabrikam.com").steps) == {f"value {ONE}": MADE}
    assert list(secure.held()) == [ONE]
    with open_session(DirectorySettings.from_options({**DEFAULTS, **GSS, "domain_server": "dc1.fabrikam.com"})) as session:
        assert session.root.domain == names.ZONE


@pytest.mark.parametrize("state", ["present", "exact"])
def test_a_zone_with_a_wildcard(bind: Bind, state: str) -> None:
    """The server answers with an alias for every name that is not there, until it is there."""
    place = Place({"zone": WILD, "server": bind.address, "authentication": "none"}, bind.address, bind.port, None)
    assert shown(place.ensure(ONE, state=state, check_mode=True).steps) == {f"value {ONE}": MADE}
    assert shown(place.ensure(ONE, state=state).steps) == {f"value {ONE}": MADE}
    assert list(place.held()) == [ONE]
    assert place.ensure(ONE, state=state).steps == []
    assert shown(place.ensure(ONE, state="absent").steps) == {f"value {ONE}": GONE}
    assert place.ensure(ONE, state="absent").steps == []


def test_a_zone_with_a_wildcard_for_services(bind: Bind) -> None:
    """The server gives every service that is not there a value, which is in no record that could be changed."""
    place = Place({"zone": WILD_SERVICES, "server": bind.address, "authentication": "none"}, bind.address, bind.port, None)
    made_up = place.held()
    assert list(made_up) == ["0 0 1688 kms-1.contoso.com"]
    assert place.ensure(*made_up).steps == place.ensure(*made_up, state="absent").steps == []
    planned = place.ensure(ONE, state="exact", check_mode=True)
    assert shown(planned.steps) == shown(place.ensure(ONE, state="exact").steps) == {f"value {ONE}": MADE}
    assert list(place.held()) == [ONE]
    assert place.ensure(ONE).steps == []
    assert shown(place.ensure(ONE, state="absent").steps) == {f"value {ONE}": GONE}
    assert place.held() == made_up


@pytest.mark.parametrize("state", ["present", "exact"])
def test_another_time_to_live_is_the_only_change(place: Place, state: str) -> None:
    place.ensure(ONE, TWO, ttl=900)
    planned = place.ensure(ONE, TWO, ttl=1200, state=state, check_mode=True)
    done = place.ensure(ONE, TWO, ttl=1200, state=state)
    assert shown(done.steps) == shown(planned.steps) == {f"ttl of {ONE}": (900, 1200), f"ttl of {TWO}": (900, 1200)}
    assert place.held() == {ONE: 1200, TWO: 1200}
    assert place.ensure(ONE, TWO, ttl=1200, state=state).steps == []
    assert place.ensure(ONE, TWO, state=state).steps == []


def test_a_new_value_gets_the_time_to_live_of_the_record(place: Place) -> None:
    place.ensure(ONE, ttl=777)
    place.ensure(TWO)
    assert place.held() == {ONE: 777, TWO: 777}


def test_values_of_others_keep_their_time_to_live_in_active_directory(secure: Place) -> None:
    secure.ensure(OTHER, ttl=500)
    secure.ensure(ONE, ttl=900)
    done = secure.ensure(ONE, ttl=1200)
    assert shown(done.steps) == {f"ttl of {ONE}": (900, 1200)}
    assert [(row["target"], row["ttl"]) for row in done.result["after"]] == [("other.contoso.com", 500), ("kms-1.contoso.com", 1200)]
    assert [row["target"] for row in done.result["others"]] == ["other.contoso.com"]
