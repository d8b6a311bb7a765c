"""Time zones by state and ZIP, checked at towns whose clocks are known."""

from zoneinfo import ZoneInfo

import pytest

from facilities.ccn.tables import state_names
from facilities.zones import all_zones, zone_of
from tests.facilities.shipped import shipped_rows


@pytest.mark.parametrize(
    ("place", "state", "zip_code", "zone"),
    [
        ("Birmingham", "AL", "35203", "America/Chicago"),
        ("Houston", "TX", "77002", "America/Chicago"),
        ("El Paso", "TX", "79901", "America/Denver"),
        ("Van Horn", "TX", "79855", "America/Chicago"),
        ("Miami", "FL", "33101", "America/New_York"),
        ("Tallahassee", "FL", "32301", "America/New_York"),
        ("Pensacola", "FL", "32501", "America/Chicago"),
        ("Panama City", "FL", "32401", "America/Chicago"),
        ("Port St. Joe", "FL", "32456", "America/New_York"),
        ("Indianapolis", "IN", "46204", "America/New_York"),
        ("Gary", "IN", "46402", "America/Chicago"),
        ("Evansville", "IN", "47708", "America/Chicago"),
        ("Louisville", "KY", "40202", "America/New_York"),
        ("Bowling Green", "KY", "42101", "America/Chicago"),
        ("Knoxville", "TN", "37902", "America/New_York"),
        ("Chattanooga", "TN", "37405", "America/New_York"),
        ("Nashville", "TN", "37203", "America/Chicago"),
        ("Crossville", "TN", "38555", "America/Chicago"),
        ("Detroit", "MI", "48201", "America/New_York"),
        ("Iron Mountain", "MI", "49801", "America/Chicago"),
        ("Fargo", "ND", "58102", "America/Chicago"),
        ("Dickinson", "ND", "58601", "America/Denver"),
        ("Williston", "ND", "58801", "America/Chicago"),
        ("Sioux Falls", "SD", "57104", "America/Chicago"),
        ("Rapid City", "SD", "57701", "America/Denver"),
        ("Omaha", "NE", "68102", "America/Chicago"),
        ("Scottsbluff", "NE", "69361", "America/Denver"),
        ("Wichita", "KS", "67202", "America/Chicago"),
        ("Goodland", "KS", "67735", "America/Denver"),
        ("Boise", "ID", "83702", "America/Denver"),
        ("Coeur d'Alene", "ID", "83814", "America/Los_Angeles"),
        ("Portland", "OR", "97201", "America/Los_Angeles"),
        ("Ontario", "OR", "97914", "America/Denver"),
        ("Las Vegas", "NV", "89101", "America/Los_Angeles"),
        ("West Wendover", "NV", "89883", "America/Denver"),
        ("Phoenix", "AZ", "85001", "America/Phoenix"),
        ("Page", "AZ", "86040", "America/Phoenix"),
        ("Tuba City", "AZ", "86045", "America/Denver"),
        ("Window Rock", "AZ", "86515", "America/Denver"),
        ("Anchorage", "AK", "99501", "America/Anchorage"),
        ("Adak", "AK", "99546", "America/Adak"),
        ("Honolulu", "HI", "96813", "Pacific/Honolulu"),
        ("San Juan", "PR", "00907", "America/Puerto_Rico"),
        ("St. Thomas", "VI", "00802", "America/Puerto_Rico"),
        ("Barrigada", "GU", "96913", "Pacific/Guam"),
        ("Saipan", "MP", "96950", "Pacific/Guam"),
        ("Pago Pago", "AS", "96799", "Pacific/Pago_Pago"),
        ("state unknown", "", "35203", "America/Chicago"),
        ("zip unknown", "TX", "", "America/Chicago"),
        ("nothing known", "", "", "America/New_York"),
        ("nonsense", "ZZ", "00000", "America/New_York"),
    ],
)
def test_a_town_lives_in_its_zone(place, state, zip_code, zone):
    assert zone_of(state, zip_code) == zone, place


def test_every_state_has_a_zone_and_every_zone_exists():
    assert {zone_of(state, "") for state in state_names()} <= set(all_zones())
    assert all(ZoneInfo(zone).key == zone for zone in all_zones())
    assert "America/New_York" in all_zones()


def test_each_real_facility_gets_one_of_the_zones():
    zones = {zone_of(row["state"], row["zip_code"]) for row in shipped_rows()}
    assert zones >= {"Pacific/Guam", "Pacific/Honolulu", "America/Phoenix", "America/Puerto_Rico"}
    assert zones <= set(all_zones())
