"""The audit chain: who did what to which object, so that no row can be changed unseen."""
