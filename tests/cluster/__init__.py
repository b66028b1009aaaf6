"""Three brokers, three Redis masters, several processes of each service, and members that die."""
