"""Red Map: honest coverage of service stations by network travel time."""
