"""Red Map as a service."""
