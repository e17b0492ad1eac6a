"""A record per day of the nodes and seats that a cluster used: for costs, and to plan it again."""
