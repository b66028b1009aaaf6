"""Roles, as the contract lists them."""

from services.gateway.domain.permissions import ADMIN, ANALYST, ROLES, VIEWER


def test_an_analyst_does_all_there_is_to_do_with_experiments_and_training() -> None:
    wanted = {one for one in ADMIN if one.startswith(("experiments:", "training:", "reviews:"))}
    assert wanted >= {"experiments:read", "experiments:write", "experiments:assign"}
    assert VIEWER | wanted == ANALYST


def test_an_admin_does_all_that_anybody_does() -> None:
    assert all(permissions <= ADMIN for permissions in ROLES.values())
