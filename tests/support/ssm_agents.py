"""An instance and its agent's ping, on the emulator."""
