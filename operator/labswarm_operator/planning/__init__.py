"""`labswarm plan`: ask whether labs fit, and draw the answer.

`question` and `reading` make values from options and an account, `labswarm.planning` answers, and
`text`, `picture` and `page` render the answer.
"""
