"""The real terraform, offline, with a provider that has AWS's schema and makes its answers up.

`schema` reads the schema, `provider` serves it, `workspace` runs terraform on a copy of a folder,
`tables` writes the READMEs' tables. `python -m tests.infrastructure.terraform` is for the shell.
"""
