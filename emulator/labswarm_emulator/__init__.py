"""The embedded AWS plane: moto, extended where the app needs more than moto does."""
