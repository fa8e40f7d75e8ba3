"""gdnsd on a configuration, and gslb on the site that it was converted to, must answer alike."""
