# The bucket and its region are the operator's own: terraform init -backend-config=bucket=... -backend-config=region=...
terraform {
  backend "s3" {
    key          = "labswarm/github.tfstate"
    encrypt      = true
    use_lockfile = true
  }
}
