"""What is done to the system: importing this fills the matrix."""

from tests.faults.strikes import data, inside, kafka, load, long, network, postgres, redis, services

__all__ = ["data", "inside", "kafka", "load", "long", "network", "postgres", "redis", "services"]
