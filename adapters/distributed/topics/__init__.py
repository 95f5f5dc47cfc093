"""Kafka: the topics, their producer settings and their consumers."""
