"""Where the parts of the gateway meet, besides its app."""
