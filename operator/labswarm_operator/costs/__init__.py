"""`labswarm costs`: what a month's labs cost. `reading` gets the records, `bill` has the rules."""
