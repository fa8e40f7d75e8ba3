"""What operators do: changes of zones, latency and intent, reloads, and reports of the present state."""
