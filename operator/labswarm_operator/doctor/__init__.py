"""`labswarm doctor`: find the limits and gaps of an account before a class meets them.

`facts` are values that `reading` gets from AWS. `diagnose` and `fit` are rules over them.
"""
