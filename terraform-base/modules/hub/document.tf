# The first version of the hub's document. Admins write all later ones with `labswarm hub`.

resource "aws_dynamodb_table_item" "document" {
  count = var.document == null ? 0 : 1

  # Of the app; stack cluster is applied after it.
  table_name = "${var.prefix}-documents"
  hash_key   = "cluster"
  range_key  = "version"

  # As layers/labswarm/labswarm/aws/dynamodb/documents.py reads it.
  item = jsonencode({
    cluster = { S = var.cluster }
    version = { N = "1" }
    text    = { S = var.document }
    by      = { S = "Terraform" }
    at      = { N = "0" }
    note    = { S = "the first version" }
  })

  # A version is written once. AWS's provider writes an item only where there is none of its key.
  lifecycle {
    ignore_changes = [item]
  }
}
