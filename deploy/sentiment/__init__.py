"""How the model of services/feedback/domain/sentiment is trained and measured."""
