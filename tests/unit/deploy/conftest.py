"""What commands leave as it was."""

from tests.support.commands import commands_leave_the_log  # noqa: F401 - in force by its name
