"""One structured logger for all functions; a line is a JSON object."""

from aws_lambda_powertools import Logger

logger = Logger(service="labswarm")
