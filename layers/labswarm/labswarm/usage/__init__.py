"""What a cluster used, for its costs and for a plan of a day that was: a record per day."""
