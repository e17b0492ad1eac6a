"""The AWS emulator: moto, extended where the app needs more than moto does."""
