"""What feedback says in sum: shares with intervals, trends, themes of complaints, advice."""
