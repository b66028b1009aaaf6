"""Jobs on real stores."""
