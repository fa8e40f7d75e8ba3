"""What zones are checked for beyond the native structural rules."""
