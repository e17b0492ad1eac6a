"""Adapters to DynamoDB, one per store."""
