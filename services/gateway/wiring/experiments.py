"""Wires A/B tests."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

from fastapi import FastAPI

from services.gateway.publisher import Publisher
from services.gateway.service.assigning import Assigning
from services.gateway.service.experimenting import Experimenting
from services.gateway.service.exposing import Exposures
from services.gateway.service.known_tests import KnownTests
from services.gateway.service.telling_steps import StepTeller
from services.gateway.settings import GatewaySettings
from services.gateway.store.experiments import PostgresExperiments
from services.gateway.store.sessions import Sessions
from shared.clock import utc_now
from shared.ids import new_id
from shared.producer import Producer
from shared.tasks import end

LAST_EXPOSURES_S = 2.0


class Experiments(NamedTuple):
    """What A/B tests need besides answering: a fresh copy, and telling behind the answers."""

    store: PostgresExperiments
    known: KnownTests
    exposures: Exposures
    teller: StepTeller
    producer: Producer

    def install(self, app: FastAPI) -> None:
        """Make them known to the routes."""
        app.state.experiments = self.store
        app.state.experimenting = Experimenting(self.store, self.known.put, utc_now, new_id)
        app.state.assigning = Assigning(self.known, self.exposures)

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Jobs run; at the end, what was shown is told first."""
        work = (self.known.keep_fresh(), self.exposures.run(), self.teller.run())
        jobs = [asyncio.ensure_future(one) for one in work]
        try:
            yield
            await self.exposures.drain(LAST_EXPOSURES_S)
        finally:  # also when the server was cancelled: jobs must not outlive it
            await end(jobs)
        await self.producer.close()


def experiments_of(settings: GatewaySettings, sessions: Sessions) -> Experiments:
    """A/B tests with a producer of their own."""
    # A producer is made anew after any trouble; what nobody waits for must not trouble the intake.
    producer = Producer(settings.connection, idempotence=settings.kafka_idempotence)
    publish, store = Publisher(producer, settings.signer).publish, PostgresExperiments(sessions)
    exposures = Exposures(publish, settings.topic_prefix, utc_now, new_id)
    teller = StepTeller(store, publish, settings.topic_prefix)
    return Experiments(store, KnownTests(store.changed), exposures, teller, producer)
