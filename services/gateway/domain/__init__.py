"""What the gateway knows: who may do what, how to read a body, how to say no. Pure."""
