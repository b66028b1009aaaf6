"""What an event costs in instructions, which no other work on the machine changes."""
