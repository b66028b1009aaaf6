"""What notify does: plan from the topic, send by the clock."""
