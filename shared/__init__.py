"""What every service shares: the contract, the fence, and how we speak outside."""
