"""What pages show, as text and lines: no markup, no I/O."""
